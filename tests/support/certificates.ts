/** Certificates for tests: an authority and server certificates signed by it, made with openssl when a test asks. */

/** A folder with an authority in it. Disposing removes it. */
export interface TestAuthority extends AsyncDisposable {
  readonly folder: string;
  /** The authority's certificate in PEM, for clients. */
  readonly ca: string;
  /** Makes a server certificate. */
  issue(name: string, options?: IssueOptions): Promise<IssuedCertificate>;
}

export interface IssueOptions {
  /** @default ["DNS:<name>", "IP:127.0.0.1"] */
  readonly names?: readonly string[];
  /** @default 30 */
  readonly days?: number;
  /** @default "ec" */
  readonly algorithm?: "ec" | "rsa";
}

/** Paths of the files of one certificate. */
export interface IssuedCertificate {
  /** The server's certificate and the authority's. */
  readonly chain: string;
  readonly key: string;
  /** Makes a PKCS#12 file of it and tells its path. */
  pfx(password: string): Promise<string>;
}

/** Runs openssl, and throws with its words when it fails. */
export async function openssl(args: readonly string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [...args],
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}

/** Makes an authority in a folder of its own. */
export async function testAuthority(): Promise<TestAuthority> {
  const folder = await Deno.makeTempDir({ prefix: "postern-tls-" });
  const newKey = (algorithm: "ec" | "rsa"): string[] =>
    algorithm === "ec"
      ? ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
      : ["-newkey", "rsa:2048"];
  // deno-fmt-ignore
  await openssl([
    "req", "-x509", ...newKey("ec"), "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
    "-days", "30", "-subj", "/CN=Postern test authority",
    "-addext", "basicConstraints=critical,CA:TRUE",
  ], folder);
  const ca = await Deno.readTextFile(`${folder}/ca.pem`);
  let serial = 0;

  async function issue(name: string, options: IssueOptions = {}): Promise<IssuedCertificate> {
    const { names = [`DNS:${name}`, "IP:127.0.0.1"], days = 30, algorithm = "ec" } = options;
    const stem = `leaf${++serial}`;
    // deno-fmt-ignore
    await openssl([
      "req", ...newKey(algorithm), "-nodes", "-keyout", `${stem}.key`, "-out", `${stem}.csr`,
      "-subj", `/CN=${name}`,
    ], folder);
    await Deno.writeTextFile(
      `${folder}/${stem}.ext`,
      `subjectAltName=${names.join(",")}\nbasicConstraints=CA:FALSE\n`,
    );
    // deno-fmt-ignore
    await openssl([
      "x509", "-req", "-in", `${stem}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key",
      "-set_serial", String(serial), "-days", String(days), "-extfile", `${stem}.ext`,
      "-out", `${stem}.pem`,
    ], folder);
    const chain = `${folder}/${stem}.chain.pem`;
    await Deno.writeTextFile(chain, await Deno.readTextFile(`${folder}/${stem}.pem`) + ca);
    return {
      chain,
      key: `${folder}/${stem}.key`,
      pfx: async (password) => {
        // deno-fmt-ignore
        await openssl([
          "pkcs12", "-export", "-in", `${stem}.pem`, "-inkey", `${stem}.key`,
          "-certfile", "ca.pem", "-passout", `pass:${password}`, "-out", `${stem}.p12`,
        ], folder);
        return `${folder}/${stem}.p12`;
      },
    };
  }

  return {
    folder,
    ca,
    issue,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
