/** What a browser may do with the dashboard: run its one script, apply its one style sheet, ask this server again. */

/**
 * The headers of every answer with HTML. Script and style are allowed by their hashes, so that nothing that a client of the
 * POP3 server could smuggle into a page would run.
 *
 * @param script the text between the script's tags
 * @param style the text between the style's tags
 */
export async function pageHeaders(script: string, style: string): Promise<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `script-src '${await hash(script)}'`,
    `style-src '${await hash(style)}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy.join("; "),
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
  };
}

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}
