"""Fetches a mailbox by Python's poplib: poplib_fetch.py PORT USER PASSWORD keep|delete FOLDER"""
import os
import poplib
import sys

port, user, password, fetched, folder = sys.argv[1:]
session = poplib.POP3("127.0.0.1", int(port), timeout=20)
session.user(user)
session.pass_(password)
count, octets = session.stat()
sizes = [int(line.split()[1]) for line in session.list()[1]]
uids = [line.split()[1] for line in session.uidl()[1]]
assert len(sizes) == len(uids) == len(set(uids)) == count, "LIST, UIDL and STAT tell different counts"
assert sum(sizes) == octets, "LIST's sizes are not STAT's sum"
for number in range(1, count + 1):
    _, lines, _ = session.retr(number)
    message = b"".join(line + b"\r\n" for line in lines)
    assert len(message) == sizes[number - 1], f"message {number}: {len(message)} octets, LIST tells {sizes[number - 1]}"
    with open(os.path.join(folder, f"{number:06}"), "wb") as file:
        file.write(message)
    if fetched == "delete":
        session.dele(number)
session.quit()
