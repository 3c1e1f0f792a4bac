/** Picks what session workers are told of the settings. */

import type { SessionSettings, Settings } from "../settings/settings.ts";

/** The settings without secrets and without what only the main thread needs. */
export function sessionSettings(settings: Settings): SessionSettings {
  return {
    serverName: settings.serverName,
    defaultDomain: settings.defaultDomain,
    requireTls: settings.requireTls,
    cleartextNetworks: settings.cleartextNetworks,
    proxyProtocol: settings.proxyProtocol,
    apop: settings.apop,
    enableLast: settings.enableLast,
    noFlagUpdates: settings.noFlagUpdates,
    transformerFailure: settings.transformerFailure,
    maildir: settings.maildir,
    transformer: settings.transformer,
    transformerTimeout: settings.transformerTimeout,
    timeout: settings.timeout,
    loginTimeout: settings.loginTimeout,
    maxMessages: settings.maxMessages,
    maxBadCommands: settings.maxBadCommands,
    loginDelay: settings.loginDelay,
    expire: settings.expire,
    logLevel: settings.logLevel,
  };
}
