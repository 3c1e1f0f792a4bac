#!/usr/bin/env python3
"""Postern's authentication hook for LDAP: postern serve --auth-hook '/etc/postern/ldap.py ldap://localhost ou=people,dc=example,dc=org'"""
import json, re, subprocess, sys

server, base = sys.argv[1:3]
question = json.load(sys.stdin)
local = question["user"].split("@")[0]
if not re.fullmatch(r"[A-Za-z0-9._-]+", local):
    print(json.dumps({"ok": False, "reason": "not a name of the directory"}))
elif question["password"] is None:  # a look-up for a delivery
    found = subprocess.run(["ldapsearch", "-x", "-LLL", "-H", server, "-b", f"uid={local},{base}", "-s", "base", "dn"], capture_output=True)
    print(json.dumps({"ok": found.returncode == 0}))
else:
    bound = subprocess.run(["ldapwhoami", "-x", "-H", server, "-D", f"uid={local},{base}", "-y", "/dev/stdin"],
                           input=question["password"].encode(), capture_output=True)
    if bound.returncode not in (0, 49):  # 49: invalid credentials; anything else is the server's trouble
        sys.exit(bound.stderr.decode())
    print(json.dumps({"ok": bound.returncode == 0 and question["password"] != ""}))
