import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { X509Certificate } from "node:crypto";
import {
  type CertificateSource,
  certificateSources,
  readCertificateFiles,
  watchCertificateFiles,
} from "../../lib/net/certificate_files.ts";
import { tryCertificates } from "../../lib/net/certificate_trial.ts";
import {
  CertificateError,
  type CertificateMaterial,
  expiryWarnings,
  nameCovers,
  readCertificate,
} from "../../lib/net/certificates.ts";
import { SecureContexts } from "../../lib/net/secure_contexts.ts";
import { openssl, testAuthority } from "../support/certificates.ts";

const authority = await testAuthority();
const leaf = await authority.issue("mail.example.org", {
  names: ["DNS:mail.example.org", "DNS:*.Example.NET", "IP:127.0.0.1"],
});
const other = await authority.issue("localhost", { algorithm: "rsa" });
addEventListener("unload", () => Deno.removeSync(authority.folder, { recursive: true }));

async function materialFrom(source: CertificateSource): Promise<CertificateMaterial> {
  const [material] = await readCertificateFiles([source]);
  if (material === undefined) throw new Error("nothing was read");
  return material;
}

function materialOf(chain: string, key: string, password?: string): Promise<CertificateMaterial> {
  const extra = password === undefined ? {} : { password };
  return materialFrom({ kind: "pem", chain, key, ...extra });
}

Deno.test("certificate is read from PEM with chain, names and dates", async () => {
  const found = readCertificate(await materialOf(leaf.chain, leaf.key));
  assertEquals(found.names, ["mail.example.org", "*.example.net", "127.0.0.1"]);
  assertEquals(found.chain.match(/BEGIN CERTIFICATE/g)?.length, 2);
  assert(found.notAfter.getTime() - found.notBefore.getTime() > 29 * 86_400_000);
  assertMatch(found.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
});

Deno.test("certificate is read from PKCS#12 with its password", async () => {
  const path = await leaf.pfx("geheim & süß");
  const material = await materialFrom({
    kind: "pfx",
    pfx: path,
    password: "geheim & süß",
  });
  assertEquals(readCertificate(material).names, ["mail.example.org", "*.example.net", "127.0.0.1"]);
  for (const password of ["geheim", ""]) {
    assertThrows(() => readCertificate({ ...material, password }), CertificateError, "tls-pass");
  }
});

Deno.test("certificate from PKCS#12 keeps the certificates between it and the authority", async () => {
  const f = authority.folder;
  await Deno.writeTextFile(`${f}/mid.ext`, "basicConstraints=critical,CA:TRUE\n");
  // deno-fmt-ignore
  {
    await openssl(["req", "-newkey", "rsa:2048", "-nodes", "-keyout", "mid.key", "-out", "mid.csr", "-subj", "/CN=Between"], f);
    await openssl(["x509", "-req", "-in", "mid.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "900", "-extfile", "mid.ext", "-out", "mid.pem"], f);
    await openssl(["req", "-newkey", "rsa:2048", "-nodes", "-keyout", "end.key", "-out", "end.csr", "-subj", "/CN=end.example"], f);
    await openssl(["x509", "-req", "-in", "end.csr", "-CA", "mid.pem", "-CAkey", "mid.key", "-set_serial", "901", "-out", "end.pem"], f);
    await Deno.writeTextFile(`${f}/chain.pem`, await Deno.readTextFile(`${f}/mid.pem`) + authority.ca);
    await openssl(["pkcs12", "-export", "-in", "end.pem", "-inkey", "end.key", "-certfile", "chain.pem", "-passout", "pass:", "-out", "end.p12"], f);
  }
  const material = await materialFrom({ kind: "pfx", pfx: `${f}/end.p12` });
  const found = readCertificate(material);
  assertEquals(found.names, ["end.example"]);
  const subjects = found.chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)
    ?.map((pem) => new X509Certificate(pem).subject);
  assertEquals(subjects, ["CN=end.example", "CN=Between"]);
});

Deno.test("certificate with an encrypted key wants the key's password", async () => {
  // deno-fmt-ignore
  await openssl(["pkcs8", "-topk8", "-in", leaf.key, "-out", "encrypted.key", "-passout", "pass:abc"], authority.folder);
  const key = `${authority.folder}/encrypted.key`;
  assert(
    readCertificate(await materialOf(leaf.chain, key, "abc")).key.includes("BEGIN PRIVATE KEY"),
  );
  for (const password of [undefined, "wrong"]) {
    const material = await materialOf(leaf.chain, key, password);
    assertThrows(() => readCertificate(material), CertificateError, "encrypted");
  }
});

Deno.test("certificate that cannot be used is refused with a sentence", async () => {
  const bytes = new TextEncoder();
  const good = await materialOf(leaf.chain, leaf.key);
  if (good.kind !== "pem") throw new Error("PEM was expected");
  const damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const cases: [Partial<typeof good>, string][] = [
    [{ chain: bytes.encode("") }, "holds no certificate"],
    [{ chain: bytes.encode(damaged) }, "is damaged"],
    [{ key: bytes.encode("no key") }, "cannot be read"],
    [{ key: await Deno.readFile(other.key) }, "does not belong"],
    [{ chain: good.key, key: good.chain }, "cannot be read"],
  ];
  for (const [change, words] of cases) {
    const error = assertThrows(
      () => readCertificate({ ...good, ...change }),
      CertificateError,
      words,
    );
    assertMatch(error.message, /\.$/);
  }
});

Deno.test("certificate set keeps the old one when a new one is bad", async () => {
  const good = await materialOf(leaf.chain, leaf.key);
  const better = await materialOf(other.chain, other.key);
  const bad = await materialOf(leaf.chain, other.key);
  const set = new SecureContexts([good]);
  const context = set.select();
  assertThrows(() => set.replace([better, bad]), CertificateError);
  assertThrows(() => set.replace([]), CertificateError);
  assert(set.select() === context);
  set.replace([better]);
  assert(set.select() !== context);
  assertEquals(set.certificates[0]?.names[0], "localhost");
});

Deno.test("certificate set chooses by name, wildcards included, and takes the first for the rest", async () => {
  const set = new SecureContexts([
    await materialOf(other.chain, other.key),
    await materialOf(leaf.chain, leaf.key),
  ]);
  const [first, second] = [set.select("localhost"), set.select("mail.example.org")];
  assert(first !== second);
  for (const name of ["MAIL.EXAMPLE.ORG", "mail.example.org.", "a.example.net"]) {
    assert(set.select(name) === second, name);
  }
  for (const name of [undefined, "", "example.net", "a.b.example.net", "x.org"]) {
    assert(set.select(name) === first, name);
  }
});

Deno.test("nameCovers lets a wildcard stand for one label", () => {
  assert(nameCovers("*.example.org", "a.example.org"));
  assert(!nameCovers("*.example.org", ".example.org"));
  assert(!nameCovers("*.example.org", "a.b.example.org"));
  assert(!nameCovers("*", "localhost"));
});

Deno.test("certificates are tried by a handshake before they are put in force", async () => {
  const set = await tryCertificates([
    await materialOf(leaf.chain, leaf.key),
    await materialOf(other.chain, other.key),
  ]);
  assertEquals(set.certificates.length, 2);
  const keys = [["rsa:1024", "cannot be used"], ["ed448", "no client could use it"]];
  for (const [kind = "", words = ""] of keys) {
    // deno-fmt-ignore
    await openssl(["req", "-x509", "-newkey", kind, "-nodes", "-keyout", "bad.key", "-out", "bad.pem", "-subj", "/CN=x"], authority.folder);
    const bad = await materialOf(`${authority.folder}/bad.pem`, `${authority.folder}/bad.key`);
    await assertRejects(() => tryCertificates([bad]), CertificateError, words);
  }
});

Deno.test("certificate near its end is told, with the days left", async () => {
  const found = readCertificate(await materialOf(leaf.chain, leaf.key));
  const end = found.notAfter.getTime();
  const at = (days: number): string[] => expiryWarnings([found], { now: end - days * 86_400_000 });
  assertEquals(at(20), []);
  assertMatch(at(13.5)[0] ?? "", /ends in 13 days, on 20.*renew it\.$/);
  assertMatch(at(1.5)[0] ?? "", /ends in 1 day,/);
  assertMatch(at(-1)[0] ?? "", /ended on/);
  assertMatch(at(100)[0] ?? "", /valid only from/);
});

Deno.test("certificate flags are paired by order", () => {
  const none = { tlsCert: [], tlsKey: [], tlsPfx: undefined, password: undefined };
  assertEquals(certificateSources(none), []);
  assertEquals(
    certificateSources({ tlsCert: ["a", "b"], tlsKey: ["c", "d"], tlsPfx: "e", password: "f" }),
    [
      { kind: "pem", chain: "a", key: "c", password: "f" },
      { kind: "pem", chain: "b", key: "d", password: "f" },
      { kind: "pfx", pfx: "e", password: "f" },
    ],
  );
  assertThrows(
    () => certificateSources({ ...none, tlsCert: ["a", "b"], tlsKey: ["c"] }),
    CertificateError,
    "2 times and --tls-key 1 times",
  );
});

Deno.test("certificate file that is not there is named", async () => {
  await assertRejects(
    () => readCertificateFiles([{ kind: "pfx", pfx: `${authority.folder}/absent.p12` }]),
    CertificateError,
    "absent.p12 cannot be read: there is no such file",
  );
});

Deno.test("certificate files are watched, through writing, renaming and links", async () => {
  const folder = await Deno.makeTempDir();
  const [a, b, link] = [`${folder}/a`, `${folder}/b`, `${folder}/link`];
  await Deno.writeTextFile(a, "one");
  await Deno.writeTextFile(b, "another");
  await Deno.symlink(a, link);
  const ending = new AbortController();
  let count = 0;
  let looked = Promise.withResolvers<void>();
  let next = Promise.withResolvers<void>();
  watchCertificateFiles([link], () => count++, {
    signal: ending.signal,
    pause: () => {
      looked.resolve();
      return next.promise;
    },
  });
  const look = async (): Promise<void> => {
    const before = next;
    [looked, next] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    before.resolve();
    await looked.promise;
  };
  await looked.promise;
  await Deno.writeTextFile(a, "three");
  await look();
  // Not at rest yet: it may be half written.
  assertEquals(count, 0);
  await look();
  assertEquals(count, 1);
  await Deno.remove(link);
  await look();
  await look();
  assertEquals(count, 1);
  await Deno.symlink(b, link);
  await look();
  await look();
  assertEquals(count, 2);
  await Deno.writeTextFile(`${folder}/new`, "another");
  await Deno.rename(`${folder}/new`, b);
  await look();
  await look();
  await look();
  assertEquals(count, 3);
  ending.abort();
  await Deno.remove(folder, { recursive: true });
});
