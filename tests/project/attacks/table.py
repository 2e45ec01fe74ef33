"""The table of attacks: what is tried on each lesson, and what becomes of it.

A lesson's rows stand in a file of their own. Names are those of OWASP's and MITRE's lists;
references are the RFC's section where one speaks of it. `without` in a row is the lesson with its
defence taken out: there the attack succeeds, so that a "fails" in the table means something.
"""

import table_basic
import table_digest
import table_hashing
import table_jwt
import table_oidc
import table_otp
import table_passkeys
import table_sessions
from table_basic import BASIC
from table_digest import DIGEST
from table_hashing import HASHING
from table_jwt import JWT
from table_oidc import OIDC
from table_otp import OTP
from table_passkeys import PASSKEYS
from table_sessions import SESSIONS

_FILES = [
    table_hashing,
    table_basic,
    table_digest,
    table_jwt,
    table_otp,
    table_sessions,
    table_passkeys,
    table_oidc,
]
ATTACKS = [*HASHING, *BASIC, *DIGEST, *JWT, *OTP, *SESSIONS, *PASSKEYS, *OIDC]
STILL_WORKS = [row for file in _FILES for row in file.STILL_WORKS]
