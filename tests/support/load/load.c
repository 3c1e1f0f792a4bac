/* A load of hostile POP3 clients for tests, cheap enough to run beside what it attacks: one thread, epoll, no memory per octet.
 *
 *   load MODE PORT SECONDS COUNT RATE [again] < opening
 *
 * COUNT connections at most at once, RATE a second (0: as fast as they can be made), for so many seconds. Standard input is what each
 * of them says first; "%d" in it becomes the connection's number. A connection that the server ends is made again with "again".
 * Modes: hold (says its opening, reads what comes), slow (reads 1 KiB a second), deaf (reads nothing), leave (closes at once, or, with
 * an opening, says that behind the greeting and closes), reset (says its opening and ends by RST), flood (says its opening over and over,
 * and reads).
 * Prints one line of JSON: made, greeted, ended (by the server), failed. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum mode { HOLD, SLOW, DEAF, LEAVE, RESET, FLOOD };
static const char *const NAMES[] = {"hold", "slow", "deaf", "leave", "reset", "flood"};

struct client {
  int fd;
  int connected, greeted;
  size_t said, length;
  char *opening;
};

static enum mode mode;
static struct sockaddr_in server;
static struct client *clients;
static int *unused, unused_count, epoll;
static char opening[1 << 20];
static size_t opening_length;
static long made, greeted, ended, failed, live;
static volatile sig_atomic_t stopped;

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void forget(struct client *client, int reset) {
  if (reset) {
    struct linger linger = {1, 0};
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  }
  close(client->fd);
  client->fd = -1;
  live--;
  unused[unused_count++] = client - clients;
}

/* Begins one connection; 0 when there is none to be had now. */
static int begin(void) {
  if (unused_count == 0) return 0;
  struct client *client = &clients[unused[unused_count - 1]];
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) return 0;
  int one = 1, small = 4096;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (mode == SLOW || mode == DEAF) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS) {
    close(fd);
    failed++;
    return 0;
  }
  unused_count--;
  live++;
  client->fd = fd;
  client->connected = client->greeted = 0;
  client->said = 0;
  struct epoll_event event = {.events = EPOLLOUT | (mode == SLOW || mode == DEAF ? 0 : EPOLLIN), .data.ptr = client};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  return 1;
}

static void watch(struct client *client, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = client};
  epoll_ctl(epoll, EPOLL_CTL_MOD, client->fd, &event);
}

/* Says what is left of the opening; 0 when the connection is gone. */
static int say(struct client *client) {
  while (client->said < client->length) {
    ssize_t sent = send(client->fd, client->opening + client->said, client->length - client->said, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    client->said += sent;
    if (client->said == client->length && mode == FLOOD) client->said = 0;
  }
  return 1;
}

/* Reads at most so many octets; 0 when the connection is gone. */
static int hear(struct client *client, size_t most) {
  static char buffer[1 << 16];
  while (most > 0) {
    ssize_t got = recv(client->fd, buffer, most < sizeof buffer ? most : sizeof buffer, 0);
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return 0;
    if (!client->greeted) {
      client->greeted = 1;
      if (buffer[0] == '+') greeted++;
    }
    most -= got;
  }
  return 1;
}

static void handle(struct client *client, uint32_t events) {
  if (client->fd < 0) return;
  if (!client->connected && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      failed++;
      forget(client, 0);
      return;
    }
    client->connected = 1;
    made++;
  }
  if (!client->connected) return;
  if (mode == LEAVE && opening_length > 0 && !client->greeted) {
    watch(client, EPOLLIN);
    if (events & EPOLLIN && !hear(client, SIZE_MAX)) {
      ended++;
      forget(client, 0);
      return;
    }
    if (!client->greeted) return;
  }
  int alive = say(client);
  if (mode == LEAVE || mode == RESET) {
    forget(client, mode == RESET);
    return;
  }
  uint32_t wanted = mode == SLOW || mode == DEAF ? 0 : EPOLLIN;
  watch(client, wanted | (client->said < client->length ? EPOLLOUT : 0));
  if (alive && (events & EPOLLIN)) alive = hear(client, SIZE_MAX);
  if (!alive || (events & (EPOLLERR | EPOLLHUP))) {
    ended++;
    forget(client, 0);
  }
}

static void prepare(int count) {
  clients = calloc(count, sizeof *clients);
  unused = calloc(count, sizeof *unused);
  for (int index = 0; index < count; index++) {
    char number[16];
    const char *mark = memmem(opening, opening_length, "%d", 2);
    clients[index].fd = -1;
    unused[unused_count++] = count - 1 - index;
    if (mark == NULL) {
      clients[index].opening = opening;
      clients[index].length = opening_length;
      continue;
    }
    int digits = sprintf(number, "%d", index);
    size_t before = mark - opening, behind = opening_length - before - 2;
    char *own = clients[index].opening = malloc(before + digits + behind);
    memcpy(own, opening, before);
    memcpy(own + before, number, digits);
    memcpy(own + before + digits, mark + 2, behind);
    clients[index].length = before + digits + behind;
  }
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  for (mode = HOLD; mode <= FLOOD && strcmp(argv[1], NAMES[mode]) != 0; mode++);
  if (mode > FLOOD) return 2;
  double seconds = atof(argv[3]), rate = atof(argv[5]);
  int count = atoi(argv[4]), again = argc > 6;
  server.sin_family = AF_INET;
  server.sin_port = htons(atoi(argv[2]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ssize_t got;
  while ((got = read(0, opening + opening_length, sizeof opening - opening_length)) > 0) opening_length += got;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  signal(SIGTERM, stop);
  signal(SIGINT, stop);
  prepare(count);
  epoll = epoll_create1(0);
  double start = now(), second = start;
  long begun = 0;
  int endless = again || mode == LEAVE || mode == RESET;
  while (!stopped && now() - start < seconds) {
    /* At most a hundred at once, so that none of them waits long for its turn. */
    for (int burst = 0; burst < 100; burst++) {
      if (!endless && begun >= count) break;
      if (rate > 0 && begun >= (now() - start) * rate) break;
      if (!begin()) break;
      begun++;
    }
    struct epoll_event events[512];
    int ready = epoll_wait(epoll, events, 512, 1);
    for (int index = 0; index < ready; index++) handle(events[index].data.ptr, events[index].events);
    if (mode == SLOW && now() - second >= 1) {
      second = now();
      for (int index = 0; index < count; index++) {
        if (clients[index].fd < 0 || !clients[index].connected || hear(&clients[index], 1024)) continue;
        ended++;
        forget(&clients[index], 0);
      }
    }
  }
  printf("{\"made\":%ld,\"greeted\":%ld,\"ended\":%ld,\"failed\":%ld,\"live\":%ld}\n", made, greeted, ended, failed, live);
  return 0;
}
