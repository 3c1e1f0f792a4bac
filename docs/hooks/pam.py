#!/usr/bin/env python3
"""Postern's authentication hook for PAM: postern serve --auth-hook '/etc/postern/pam.py postern' (a service of /etc/pam.d)"""
import json, pwd, subprocess, sys

question = json.load(sys.stdin)
try:
    account = pwd.getpwnam(question["user"])
except KeyError:
    print(json.dumps({"ok": False, "reason": "no such account"}))
    sys.exit()
right = question["password"] is None or subprocess.run(
    ["pamtester", sys.argv[1], account.pw_name, "authenticate", "acct_mgmt"],
    input=question["password"].encode(), capture_output=True).returncode == 0
print(json.dumps({"ok": right, "user": account.pw_name, "home": account.pw_dir} if right else {"ok": False}))
