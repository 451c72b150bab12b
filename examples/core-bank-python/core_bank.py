#!/usr/bin/env python3
"""A small bank behind the core bank interface (banks/core/openapi.json), with Python's standard library alone.

It shows what the interface asks of a bank: who may call (mutual TLS), what is answered, and above all how a payment is made once
under its id. Customers and accounts are made at the start; everything is kept in one SQLite database.

    python3 core_bank.py --listen 127.0.0.1:8444 --certificate bank.pem --private-key bank.key.pem --client-ca ca.pem \\
        --database bank.db

What happens at the bank itself is done beside it, on the same database, and told to the gateway as an event: an account is closed, or a
customer takes back in the bank's own app what they gave to third parties (all of it, a consent, or what one third party has):

    python3 core_bank.py --database bank.db --close NL62VPYB0000000002
    python3 core_bank.py --database bank.db --withdraw NL89VPYB0000000001 [--consent ID | --third-party PSDNL-DNB-R123456]
"""

import argparse
import hmac
import json
import re
import sqlite3
import ssl
import threading
import time
import uuid
from datetime import date, datetime, timezone
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

SCHEMA = """
CREATE TABLE IF NOT EXISTS customers (id TEXT PRIMARY KEY, name TEXT NOT NULL, secret TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, branch TEXT NOT NULL, iban TEXT NOT NULL UNIQUE, holder TEXT NOT NULL,
    balance INTEGER NOT NULL, status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS movements (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
    day TEXT NOT NULL, amount INTEGER NOT NULL, other_name TEXT, other_iban TEXT, remittance TEXT);
CREATE INDEX IF NOT EXISTS movements_of ON movements (account, day, number);
CREATE TABLE IF NOT EXISTS payments (id TEXT PRIMARY KEY, outcome TEXT NOT NULL, status TEXT NOT NULL, day TEXT NOT NULL,
    since TEXT NOT NULL, wish TEXT NOT NULL, reason TEXT);
CREATE TABLE IF NOT EXISTS declined (id TEXT PRIMARY KEY, problem TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY AUTOINCREMENT, told TEXT NOT NULL);
"""

BRANCH, CURRENCY = "nl", "EUR"
CUSTOMERS = [("anna", "A. Visser", "NL89VPYB0000000001", 500_00), ("bram", "B. de Wit", "NL62VPYB0000000002", 0)]


class Problem(Exception):
    """Why something is not done."""

    def __init__(self, status, code, detail, **more):
        super().__init__(detail)
        self.status, self.body = status, {"code": code, "detail": detail, **more}
        self.is_kept = False  # whether it was written down, so that the answer is the same from now on


def malformed(detail):
    return Problem(400, "malformed", detail)


def missing(what):
    return Problem(404, "not-found", f"{what} not found")


def declined(payment, reason, detail):
    return Problem(422, "declined", detail, payment=payment["id"], reason=reason)


def money(minor):
    return {"amount": f"{Decimal(minor) / 100:.2f}", "currency": CURRENCY}


def minor(amount):
    if not re.fullmatch(r"-?[0-9]{1,14}(\.[0-9]{1,2})?", amount["amount"]):
        raise malformed("amount is a decimal number with two places at most")
    return int(Decimal(amount["amount"]) * 100)


class Bank:
    """Customers, accounts, payments. One connection under one lock: each call is one transaction."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript(SCHEMA)
        if not self.one("SELECT 1 FROM customers"):
            self.db.execute("BEGIN")
            for id, name, iban, begin in CUSTOMERS:
                self.db.execute("INSERT INTO customers VALUES (?, ?, ?)", (id, name, f"secret of {id}"))
                self.db.execute("INSERT INTO accounts VALUES (?, ?, ?, ?, 0, 'enabled')", (f"account-{id}", BRANCH, iban, id))
                if begin:
                    self.move(f"begin-{id}", f"account-{id}", begin, {"name": "The Bank"}, "Welcome")
            self.db.execute("COMMIT")

    def one(self, sql, *values):
        return self.db.execute(sql, values).fetchone()

    def in_transaction(self, call):
        with self.lock:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                self.do_due()
                answer = call()
                self.db.execute("COMMIT")
                return answer
            except Problem as problem:
                self.db.execute("COMMIT" if problem.is_kept else "ROLLBACK")
                raise
            except BaseException:
                self.db.execute("ROLLBACK")
                raise

    def move(self, id, account, amount, other, remittance):
        self.db.execute("UPDATE accounts SET balance = balance + ? WHERE id = ?", (amount, account))
        self.db.execute(
            "INSERT INTO movements (id, account, day, amount, other_name, other_iban, remittance) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (id, account, date.today().isoformat(), amount, other.get("name"), other.get("iban"), remittance),
        )

    # Accounts

    def account_row(self, id):
        row = self.one("SELECT a.*, c.name FROM accounts a JOIN customers c ON c.id = a.holder WHERE a.id = ?", id)
        if not row:
            raise missing("account")
        return row

    @staticmethod
    def shown(row):
        return {"id": row["id"], "iban": row["iban"], "currency": CURRENCY, "product": "CACC", "name": row["name"],
                "status": row["status"]}

    def named(self, reference):
        """The account that a reference names; none by a British number, since there is no British branch."""
        if reference["branch"] != BRANCH:
            raise malformed(f"branch is {BRANCH}")
        row = self.one("SELECT id FROM accounts WHERE iban = ?", reference.get("iban"))
        fits = row and reference.get("currency", CURRENCY) == CURRENCY
        return self.account_row(row["id"]) if fits else None

    def find_accounts(self, body, _):
        row = self.named(body)
        return {"accounts": [self.shown(row)] if row else []}

    def account(self, _, __, id):
        return self.shown(self.account_row(id))

    def balances(self, _, query, id):
        row, today = self.account_row(id), date.today()
        before = self.one("SELECT coalesce(sum(amount), 0) FROM movements WHERE account = ? AND day < ?", id, today.isoformat())
        yesterday = date.fromordinal(today.toordinal() - 1).isoformat()
        return {"account": self.shown(row), "balances": [
            {"kind": "closingBooked", "amount": money(before[0]), "referenceDate": yesterday},
            {"kind": "expected", "amount": money(row["balance"]), "referenceDate": today.isoformat()},
        ]}

    def booked(self, _, query, id):
        self.account_row(id)
        limit = min(int(query["limit"]), 100)
        # Older than the last movement of the page before.
        after = (query.get("afterDate", "9999-12-31"), int(query.get("afterSequence", 2**62)))
        rows = self.db.execute(
            "SELECT * FROM movements WHERE account = ? AND day BETWEEN ? AND ? AND (day, number) < (?, ?) "
            "ORDER BY day DESC, number DESC LIMIT ?",
            (id, query["from"], query["to"], *after, limit + 1),
        ).fetchall()
        return {"transactions": [self.movement(row) for row in rows[:limit]], "more": len(rows) > limit}

    @staticmethod
    def movement(row):
        other = {"name": row["other_name"], "iban": row["other_iban"]}
        shown = {"id": row["id"], "sequence": row["number"], "bookingDate": row["day"], "valueDate": row["day"],
                 "amount": money(row["amount"]), "counterparty": {name: text for name, text in other.items() if text}}
        if row["remittance"]:
            shown["remittance"] = row["remittance"]
        return shown

    # Numbers of entries, which a bank may leave out. Movements are booked in the order in which they come in, so that a number is a
    # place among those of the account.

    def parts(self, _, __):
        return {"parts": ["entry-numbers"]}

    def entries(self, _, query, id):
        self.account_row(id)
        limit, newest = int(query["limit"]), int(query.get("newest", 2**62))
        if limit < 0 or newest < 0:
            raise malformed("limit and newest are numbers from 0 on")
        count = self.one("SELECT count(*) FROM movements WHERE account = ? AND day <= ?", id, query["day"])[0]
        newest = min(newest, count)
        length = min(limit, newest, 100)
        rows = self.db.execute("SELECT * FROM movements WHERE account = ? AND day <= ? ORDER BY number LIMIT ? OFFSET ?",
                               (id, query["day"], length, newest - length)).fetchall()
        numbered = [{"number": number, "transaction": self.movement(row)} for number, row in enumerate(rows, newest - length + 1)]
        return {"count": count, "entries": numbered[::-1]}

    def entry_number(self, _, query, id):
        row = self.one("SELECT number FROM movements WHERE account = ? AND id = ?", id, query["entry"])
        if not row:
            return {}
        return {"number": self.one("SELECT count(*) FROM movements WHERE account = ? AND number <= ?", id, row["number"])[0]}

    def pending(self, _, __, id):
        self.account_row(id)
        return {"transactions": []}

    def funds(self, _, __, id):
        # The day may be one to come, on which a payment is to be made: nothing is known of it but what holds now.
        balance = money(self.account_row(id)["balance"])
        return {"booked": balance, "available": balance, "creditLimit": money(0)}

    def holders(self, _, __, id):
        return {"customers": [self.customer(None, {}, self.account_row(id)["holder"])]}

    def approvals_needed(self, _, __, id):
        self.account_row(id)
        return {"approvalsNeeded": 1}

    def check_funds(self, body, _):
        row = self.named(body["account"])
        if not row or row["status"] == "deleted" or body["amount"]["currency"] != CURRENCY:
            return {}
        return {"available": row["balance"] >= minor(body["amount"])}

    # Customers

    def find_customers(self, body, _):
        row = self.named(body)
        return {"customerIds": [row["holder"]] if row else []}

    def customer(self, _, query, id):
        """A customer, of the branch that is named if one is: of another there is none here."""
        row = self.one("SELECT * FROM customers WHERE id = ?", id)
        if not row or query.get("branch", BRANCH) != BRANCH:
            raise missing("customer")
        return {"id": row["id"], "name": row["name"], "kind": "person", "createdAt": "2020-01-01T00:00:00Z", "branch": BRANCH}

    def accounts_of(self, _, __, id):
        self.customer(None, {}, id)
        rows = self.db.execute("SELECT id FROM accounts WHERE holder = ?", (id,)).fetchall()
        return {"accounts": [self.shown(self.account_row(row["id"])) for row in rows]}

    def is_right(self, id, shown):
        # Nobody takes as long as somebody.
        row = self.one("SELECT secret FROM customers WHERE id = ?", id)
        expected = device_answer(row["secret"] if row else "nobody", shown["challenge"])
        return hmac.compare_digest(expected, shown["answer"]) and row is not None

    def log_in(self, body, _):
        right = [id for id in body["customerIds"] or ["nobody"] if self.is_right(id, body)]
        return {"customerId": right[0]} if right else {}

    def approve(self, body, _, id):
        self.customer(None, {}, id)
        return {"approved": self.is_right(id, body)}

    # Payments

    def submit(self, body, _):
        """Each payment once under its id, all of them or none: whatever is raised rolls everything back. What was declined once stays
        declined, since whoever asked for it may know by then that it is not made."""
        self.db.execute("SAVEPOINT submitted")
        try:
            return {"payments": [self.take(payment) for payment in body["payments"]]}
        except Problem as problem:
            if problem.body["code"] == "declined":
                self.db.execute("ROLLBACK TO submitted")
                rows = [(payment["id"], json.dumps(problem.body)) for payment in body["payments"] if not self.payment(payment["id"])]
                self.db.executemany("INSERT OR IGNORE INTO declined VALUES (?, ?)", rows)
                problem.is_kept = True
            raise

    def check(self, body, query):
        """The same, and then nothing of it."""
        self.db.execute("SAVEPOINT looked_at")
        try:
            self.submit(body, query)
        finally:
            self.db.execute("ROLLBACK TO looked_at")
            self.db.execute("RELEASE looked_at")
        return {}

    def take(self, payment):
        known = self.payment(payment["id"])
        if known:
            return {"outcome": known["outcome"]}
        before = self.one("SELECT problem FROM declined WHERE id = ?", payment["id"])
        if before:
            raise Problem(422, **{**json.loads(before["problem"]), "payment": payment["id"]})
        if payment["branch"] != BRANCH or not payment["transfers"]:
            raise malformed(f"branch is {BRANCH}, and transfers has one transfer or more")
        if payment["service"] == "periodic-payments" or payment["product"] != "sepa-credit-transfers":
            raise declined(payment, "AG01", "this bank makes single and bulk SEPA credit transfers")
        self.payer(payment)
        today = date.today().isoformat()
        day = payment.get("requestedDay", today)
        for transfer in payment["transfers"]:
            if transfer["amount"]["currency"] != CURRENCY or minor(transfer["amount"]) <= 0:
                raise declined(payment, "AG01", f"amounts are positive, and in {CURRENCY}")
        if day > today:
            outcome, status = "accepted", "ACTC"
        else:
            status = self.pay(payment)
            outcome = "executed"
        self.db.execute("INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, NULL)",
                        (payment["id"], outcome, status, day, now(), json.dumps(payment)))
        if outcome == "accepted":
            self.tell_payment(payment["id"])
        return {"outcome": outcome}

    def payer(self, payment):
        row = self.account_row(payment["account"])
        if row["status"] == "deleted":
            raise declined(payment, "AC04-DBTR", "the account that pays was closed")
        return row

    def pay(self, payment):
        """Moves the money, and says whether the payees have it too (ACCC), or are at other banks (ACSC)."""
        status, payer = "ACCC", self.payer(payment)
        for index, transfer in enumerate(payment["transfers"]):
            amount, creditor = minor(transfer["amount"]), transfer["creditor"]
            id, text = f"{payment['id']}-{index}", transfer.get("remittance")
            if self.account_row(payer["id"])["balance"] < amount:
                raise declined(payment, "AM04", "the account has insufficient funds")
            payee = self.one("SELECT id, status FROM accounts WHERE iban = ?", creditor.get("iban"))
            if payee and payee["status"] == "deleted":
                raise declined(payment, "AC04-CDTR", "the account of the payee was closed")
            self.move(id, payer["id"], -amount, creditor, text)
            if payee:
                self.move(f"{id}-credit", payee["id"], amount, {"name": payer["name"], "iban": payer["iban"]}, text)
            else:
                status = "ACSC"
        return status

    def do_due(self):
        """Makes payments whose day has come."""
        rows = self.db.execute("SELECT * FROM payments WHERE status = 'ACTC' AND day <= ?", (date.today().isoformat(),)).fetchall()
        for row in rows:
            self.db.execute("SAVEPOINT payment")
            reason = None
            try:
                status = self.pay(json.loads(row["wish"]))
            except Problem as problem:
                self.db.execute("ROLLBACK TO payment")
                status, reason = "RJCT", problem.body["reason"]
            self.db.execute("RELEASE payment")
            self.db.execute("UPDATE payments SET status = ?, reason = ?, since = ? WHERE id = ?", (status, reason, now(), row["id"]))
            self.tell_payment(row["id"])

    def payment(self, id):
        return self.one("SELECT * FROM payments WHERE id = ?", id)

    def payment_row(self, id):
        row = self.payment(id)
        if not row:
            raise missing("payment")
        return row

    def progress(self, _, __, id):
        row = self.payment_row(id)
        told = {"status": row["status"], "since": row["since"], "canBeStopped": row["status"] == "ACTC"}
        if row["reason"]:
            told["reason"] = row["reason"]
        return told

    def stop(self, _, __, id):
        if self.payment_row(id)["status"] != "ACTC":
            raise Problem(409, "final", "the payment cannot be stopped any more")
        self.db.execute("UPDATE payments SET status = 'CANC', since = ? WHERE id = ?", (now(), id))
        self.tell_payment(id)
        return {}

    # Events: written in the transaction of what they are about, and kept in their order.

    def tell(self, kind, **what):
        told = {"id": str(uuid.uuid4()), "at": now(), "type": kind, **what}
        self.db.execute("INSERT INTO events (told) VALUES (?)", (json.dumps(told),))

    def tell_payment(self, id):
        progress = self.progress(None, None, id)
        self.tell("payment", payment=id, final=progress["status"] != "ACTC", **progress)

    def close(self, iban):
        """Closes an account. What is left on it stays there: somebody has to decide what becomes of it."""
        id = self.numbered(iban)["id"]
        self.db.execute("UPDATE accounts SET status = 'deleted' WHERE id = ?", (id,))
        row = self.account_row(id)
        self.tell("account-closed", account=self.shown(row), customerIds=[row["holder"]])

    def withdraw(self, iban, consent, third_party):
        """A customer takes back what they gave: one consent, what one third party has, or all."""
        what = {"consentId": consent, "thirdParty": third_party}
        self.tell("consent-withdrawn", customerId=self.numbered(iban)["holder"], **{name: id for name, id in what.items() if id})

    def numbered(self, iban):
        row = self.one("SELECT id FROM accounts WHERE iban = ? AND status = 'enabled'", iban)
        if not row:
            raise missing(f"open account {iban}")
        return self.account_row(row["id"])

    def events(self, _, query):
        """The events behind one; if there are none, whoever asks waits outside of the transaction (see Handler)."""
        after, limit = 0, int(query["limit"])
        if limit < 1 or not 0 <= int(query.get("wait", 0)) <= 30:
            raise malformed("limit is a number from 1 on, and wait one of 0 to 30 seconds")
        if "after" in query:
            row = self.one("SELECT number FROM events WHERE json_extract(told, '$.id') = ?", query["after"])
            if not row:
                raise missing("event")
            after = row["number"]
        rows = self.db.execute("SELECT told FROM events WHERE number > ? ORDER BY number LIMIT ?", (after, min(limit, 100)))
        return {"events": [json.loads(row["told"]) for row in rows.fetchall()]}


def device_answer(secret, challenge):
    """What a customer's device answers to a challenge."""
    return hmac.new(secret.encode(), challenge.encode(), "sha256").hexdigest()[:8]


def now():
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


ROUTES = [
    ("POST", "/accounts/find", Bank.find_accounts),
    ("GET", "/accounts/{}", Bank.account),
    ("GET", "/accounts/{}/balances", Bank.balances),
    ("GET", "/accounts/{}/transactions/booked", Bank.booked),
    ("GET", "/accounts/{}/transactions/pending", Bank.pending),
    ("GET", "/parts", Bank.parts),
    ("GET", "/accounts/{}/entries", Bank.entries),
    ("GET", "/accounts/{}/entry-number", Bank.entry_number),
    ("GET", "/accounts/{}/funds", Bank.funds),
    ("GET", "/accounts/{}/holders", Bank.holders),
    ("GET", "/accounts/{}/approvals-needed", Bank.approvals_needed),
    ("POST", "/funds-checks", Bank.check_funds),
    ("POST", "/customers/find", Bank.find_customers),
    ("POST", "/log-ins", Bank.log_in),
    ("GET", "/customers/{}", Bank.customer),
    ("GET", "/customers/{}/accounts", Bank.accounts_of),
    ("POST", "/customers/{}/approvals", Bank.approve),
    ("POST", "/payment-checks", Bank.check),
    ("POST", "/payments", Bank.submit),
    ("GET", "/payments/{}", Bank.progress),
    ("POST", "/payments/{}/stop", Bank.stop),
    ("GET", "/events", Bank.events),
]
ROUTES = [(method, re.compile("/core/v1" + path.replace("{}", "([^/]+)")), answer) for method, path, answer in ROUTES]


class Handler(BaseHTTPRequestHandler):
    """One call: finds the row of the table, runs it in one transaction, answers."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    bank = None

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > 2 * 1024 * 1024:
            # What is not read stands in the way of the next call.
            self.close_connection = True
            raise Problem(400, "malformed", "a body has 2 MiB at most")
        body = self.rfile.read(length)
        url = urlsplit(self.path)
        for method, path, answer in ROUTES:
            found = path.fullmatch(url.path)
            if method == self.command and found:
                query = {name: values[-1] for name, values in parse_qs(url.query).items()}
                parts = [unquote(part) for part in found.groups()]
                call = lambda: answer(self.bank, json.loads(body or "null"), query, *parts)
                told = self.bank.in_transaction(call)
                until = time.monotonic() + int(query.get("wait", 0))
                while told == {"events": []} and time.monotonic() < until:
                    time.sleep(0.1)
                    told = self.bank.in_transaction(call)
                return told
        raise Problem(404, "malformed", "the interface has no such path and method")

    def handle_call(self):
        try:
            status, body = 200, self.answer()
        except Problem as problem:
            status, body = problem.status, problem.body
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # What was wrong is told by its kind alone: the rest may be a customer's, and the text may come to a log.
            detail = f"a member or parameter is missing, or is not what the description says ({type(error).__name__})"
            status, body = 400, {"code": "malformed", "detail": detail}
        except sqlite3.Error:
            status, body = 503, {"code": "unavailable", "detail": "try again later"}
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = handle_call

    def log_message(self, *_):
        """Addresses hold ids, which are for no log."""


class Server(ThreadingHTTPServer):
    """Shakes hands in the thread of each connection, so that nobody waits for a slow one."""

    daemon_threads = True

    def __init__(self, address, context):
        super().__init__(address, Handler)
        self.context = context

    def finish_request(self, request, address):
        request.settimeout(10)
        try:
            request = self.context.wrap_socket(request, server_side=True)
        except (OSError, ssl.SSLError):
            return
        super().finish_request(request, address)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", required=True)
    parser.add_argument("--listen", default="127.0.0.1:8444")
    for name in ["--certificate", "--private-key", "--client-ca"]:
        parser.add_argument(name, help="needed to serve")
    beside = parser.add_argument_group("beside a bank that serves")
    beside.add_argument("--close", metavar="IBAN", help="close an account")
    beside.add_argument("--withdraw", metavar="IBAN", help="the holder takes back what they gave to third parties:")
    beside.add_argument("--consent", metavar="ID", help="this consent alone")
    beside.add_argument("--third-party", metavar="ID", help="what this third party has alone")
    args = parser.parse_args()
    bank = Bank(args.database)
    if args.close or args.withdraw:
        happens = (lambda: bank.close(args.close)) if args.close else (lambda: bank.withdraw(args.withdraw, args.consent, args.third_party))
        try:
            bank.in_transaction(happens)
        except Problem as problem:
            parser.error(problem.body["detail"])
        return
    if not (args.certificate and args.private_key and args.client_ca):
        parser.error("--certificate, --private-key and --client-ca are needed to serve")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args.certificate, args.private_key)
    context.load_verify_locations(args.client_ca)
    context.verify_mode = ssl.CERT_REQUIRED
    Handler.bank = bank
    host, _, port = args.listen.rpartition(":")
    server = Server((host, int(port)), context)
    print(json.dumps({"ready": True, "url": "https://{}:{}".format(*server.server_address),
                      "customers": [iban for _, _, iban, _ in CUSTOMERS]}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
