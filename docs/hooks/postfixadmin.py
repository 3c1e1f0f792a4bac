#!/usr/bin/env python3
"""Postern's authentication hook for PostfixAdmin's tables in PostgreSQL: postern serve --auth-hook '/etc/postern/postfixadmin.py postgresql://postern@localhost/postfix'"""
import crypt, hmac, json, subprocess, sys

question = json.load(sys.stdin)
query = "SELECT password, maildir, quota FROM mailbox WHERE username = :'name' AND active"
answer = subprocess.run(["psql", sys.argv[1], "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-v", "name=" + question["user"]],
                        input=query.encode(), capture_output=True)
if answer.returncode != 0:  # the database is away: the login is tried again later
    sys.exit(answer.stderr.decode())
row = answer.stdout.decode().rstrip("\n").split("\t")
if len(row) != 3:
    print(json.dumps({"ok": False, "reason": "no such mailbox"}))
else:
    stored, maildir, quota = row
    stored = stored.split("}", 1)[-1]  # {SHA512-CRYPT}$6$…, or $6$… alone
    asked = question["password"]
    right = asked is None or hmac.compare_digest(crypt.crypt(asked, stored) or "", stored)
    print(json.dumps({"ok": right, "mailbox": maildir.rstrip("/"), "limits": {"quota": quota}} if right else {"ok": False}))
