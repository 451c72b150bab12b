"""Uses a bank with bunq's own Python SDK, of which nothing is changed but the base URL.

Arguments: the base URL of the bank, `http://host:port/bunq/v1/`, and the URL of its management API.

Goes through everything a third party does (certificate, OAuth client, a customer's approval, account
data, draft payments, a question for funds) and then through a day of an ordinary sandbox user. Prints
`done: …` after each step. The first step that fails ends the program with a message and status 1.
"""

import faulthandler
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests

from bunq import Pagination
from bunq.sdk.context.api_context import ApiContext
from bunq.sdk.context.api_environment_type import ApiEnvironmentType
from bunq.sdk.context.bunq_context import BunqContext
from bunq.sdk.exception.api_exception import ApiException
from bunq.sdk.exception.forbidden_exception import ForbiddenException
from bunq.sdk.exception.unauthorized_exception import UnauthorizedException
from bunq.sdk.json import converter
from bunq.sdk.model.generated import endpoint
from bunq.sdk.model.generated.object_ import AmountObject, DraftPaymentEntryObject, PointerObject
from bunq.sdk.util import util

CALLBACK = "https://tpp.example/callback"
SHOP_IBAN = "NL91ABNA0417164300"
SHOP_NAME = "Example Shop"
TOKEN = re.compile("[0-9a-f]{64}")
PAGE = 3
TIMEOUT = 30
# The SDK waits for answers without end, so the program as a whole has to stop by itself.
PATIENCE = 180


def expect(condition, text):
    if not condition:
        sys.exit(text)


def expect_equal(found, wanted, what):
    expect(found == wanted, f"{what} is {found!r} instead of {wanted!r}")


def expect_status(response, what):
    expect(response.status_code == 200, f"{what}: status {response.status_code}: {response.text}")


def expect_token(value, what):
    expect(value is not None and TOKEN.fullmatch(value), f"{what} is {value!r}, not 64 hex digits")


def expect_refusal(call, kinds, what):
    """The bank refuses a call with an error whose response id came from the bank, not from the SDK."""
    try:
        call()
    except kinds as error:
        try:
            uuid.UUID(error.response_id)
        except ValueError:
            sys.exit(f"{what}: {error.response_id}")
    else:
        sys.exit(f"{what}: the bank does not refuse it")


def post(url, **options):
    return requests.post(url, timeout=TIMEOUT, **options)


def euros(value):
    return AmountObject(value, "EUR")


def expect_euros(amount, value, what):
    expect_equal((amount.value, amount.currency), (value, "EUR"), what)


def iban_of(account):
    return next((alias.value for alias in account.alias if alias.type_ == "IBAN"), None)


def device():
    return f"{Path(__file__).stem} {uuid.uuid4()}"


def openssl_certificate(folder, common_name):
    """A certificate and its key, as bunq's manual has them made for the sandbox."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:4096", "-keyout", key, "-out", certificate]
    command += ["-days", "365", "-nodes", "-subj", f"/CN={common_name}/C=NL"]
    made = subprocess.run(command, capture_output=True, text=True)
    expect(made.returncode == 0, made.stderr)
    return certificate.read_text(), key.read_text()


class Provider:
    """A third party with a certificate, and one customer of the bank."""

    def __init__(self, base_url, management_url):
        self.base_url = base_url
        self.management_url = management_url.rstrip("/")
        self.context = None
        self.client = None
        self.customer = None
        self.access_token = None
        self.account_id = None

    @property
    def user(self):
        return self.context.session_context.user_payment_service_provider

    def register(self, folder):
        common_name = f"SDK Test PISP AISP {uuid.uuid4()}"
        expect(len(common_name) <= 64, "the common name is too long")
        certificate, key = openssl_certificate(folder, common_name)
        # A certificate that signed itself is its own chain.
        made = ApiContext.create_for_psd2(
            ApiEnvironmentType.SANDBOX, certificate, key, [certificate], device()
        )
        user = made.session_context.user_payment_service_provider
        expect(isinstance(user, endpoint.UserPaymentServiceProviderApiObject), f"user: {user}")
        expect_equal(user.display_name, common_name, "display_name")
        expect(f"/CN={common_name}" in user.certificate_distinguished_name, user.to_json())
        made.save(folder / "context.json")
        self.context = ApiContext.restore(folder / "context.json")
        expect(self.context == made, "the context is another one after it was saved and restored")
        expect_equal(self.user.id_, user.id_, "user id after the context was restored")
        BunqContext.load_api_context(self.context)
        # Reads the user again, so the restored session has to work.
        BunqContext.user_context().refresh_user_context()
        expect_equal(BunqContext.user_context().user_id, user.id_, "user id")

    def make_client(self):
        existing = endpoint.OauthClientApiObject.list().value
        expect_equal(len(existing), 0, "number of OAuth clients of a new user")
        client_id = endpoint.OauthClientApiObject.create().value
        endpoint.OauthCallbackUrlApiObject.create(client_id, CALLBACK)
        self.client = endpoint.OauthClientApiObject.get(client_id).value
        expect_equal(self.client.id_, client_id, "id of the OAuth client")
        expect_equal(self.client.status, "ACTIVE", "status of the OAuth client")
        expect_token(self.client.client_id, "client_id")
        expect_token(self.client.secret, "secret")
        expect_equal([one.url for one in self.client.callback_url], [CALLBACK], "callback_url")
        listed = endpoint.OauthClientApiObject.list().value
        expect_equal([one.client_id for one in listed], [self.client.client_id], "OAuth clients")
        callbacks = endpoint.OauthCallbackUrlApiObject.list(client_id).value
        expect_equal([one.url for one in callbacks], [CALLBACK], "callback URLs")

    def find_customer(self):
        wanted = {"tenant": "nl", "persona": "household"}
        response = post(f"{self.management_url}/test-accounts", json=wanted)
        # This one is not bunq's API, and 201 says what happens.
        expect(response.status_code in [200, 201], f"{response.status_code}: {response.text}")
        self.customer = response.json()
        expect(type(self.customer["bunq"]["userId"]) is int, f"userId: {self.customer}")
        expect(self.customer["bunq"]["apiKey"].startswith("sandbox_"), f"apiKey: {self.customer}")

    def authorise(self):
        # The SDK's OauthAuthorizationUri and OauthAccessToken cannot even be imported: both look for a
        # class that release 1.28.0 has under another name. The hosts in them could not be changed, and
        # the second would send the number of the client in place of its client_id.
        state = secrets.token_hex(16)
        query = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": CALLBACK,
            "state": state,
        }
        url = f"{urljoin(self.base_url, '../auth')}?{urlencode(query)}"
        approval = {"url": url, "iban": self.customer["iban"], "decision": "approve"}
        response = post(f"{self.management_url}/approvals", json=approval)
        expect_status(response, "approval")
        location = response.json()["location"]
        expect_equal(location.partition("?")[0], CALLBACK, "target of the redirect")
        answer = dict(parse_qsl(urlsplit(location).query))
        expect("code" in answer, f"the authorization response is {answer}")
        expect_equal(answer.get("state"), state, "state of the redirect")
        query = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": CALLBACK,
            "client_id": self.client.client_id,
            "client_secret": self.client.secret,
        }
        response = post(urljoin(self.base_url, "token"), params=query)
        expect_status(response, "token")
        token = response.json()
        expect_token(token["access_token"], "access_token")
        expect_equal(token["token_type"], "bearer", "token_type")
        expect_equal(token.get("state"), state, "state of the token")
        self.access_token = token["access_token"]

    def load_customer(self):
        """Opens a session for the customer's data, with keys of its own as the SDK does it."""
        context = ApiContext.create(ApiEnvironmentType.SANDBOX, self.access_token, device())
        # Fails unless the customer let the third party see an active bank account.
        BunqContext.load_api_context(context)
        expect(BunqContext.user_context().is_only_user_api_key_set(), "the user is no UserApiKey")
        user = BunqContext.user_context().user_api_key
        requester = user.requested_by_user.UserPaymentServiceProvider
        expect_equal(requester.id_, self.user.id_, "id of requested_by_user")
        grantor = user.granted_by_user.get_referenced_object()
        expect_equal(grantor.id_, self.customer["bunq"]["userId"], "id of granted_by_user")
        BunqContext.user_context().refresh_user_context()
        expect_equal(BunqContext.user_context().user_id, user.id_, "user id")

    def read_accounts(self):
        kinds = ["Bank", "Joint", "Savings", "Light", "Card", "External", "ExternalSavings"]
        kinds = [f"MonetaryAccount{kind}" for kind in kinds]
        accounts = endpoint.MonetaryAccountApiObject.list().value
        found = [[getattr(account, kind) for kind in kinds] for account in accounts]
        found = [[one for one in account if one is not None] for account in found]
        expect(all(len(account) == 1 for account in found), f"accounts without one type: {found}")
        everything = {account[0].id_: iban_of(account[0]) for account in found}
        expect(None not in everything.values(), f"an account without a number: {everything}")
        banks = endpoint.MonetaryAccountBankApiObject.list().value
        listed = {account.id_: iban_of(account) for account in banks}
        expect(listed.items() <= everything.items(), f"{listed} is not part of {everything}")
        main = [account for account in banks if iban_of(account) == self.customer["iban"]]
        expect_equal(len(main), 1, "number of accounts with the customer's IBAN")
        self.account_id = main[0].id_
        one = endpoint.MonetaryAccountBankApiObject.get(self.account_id).value
        expect_equal(one.status, "ACTIVE", "status of the account")
        expect_equal(one.balance.currency, "EUR", "currency of the balance")
        expect_equal(one.balance.value, main[0].balance.value, "balance")
        Decimal(one.balance.value)

    def payments(self, parameters):
        return endpoint.PaymentApiObject.list(self.account_id, parameters)

    def read_payments(self):
        """One page back and one page forth, as in the SDK's own tests, then all to the end."""
        pagination = Pagination()
        pagination.count = 2 * PAGE
        wanted = self.payments(pagination.url_params_count_only).value
        expect_equal(len(wanted), 2 * PAGE, "number of payments")
        pagination.count = PAGE
        latest = self.payments(pagination.url_params_count_only)
        expect(not latest.pagination.has_next_page_assured(), "a page is newer than the latest")
        before = self.payments(latest.pagination.url_params_previous_page)
        again = self.payments(before.pagination.url_params_next_page)
        found = again.value + before.value
        expect_equal(converter.serialize(found), converter.serialize(wanted), "both pages")
        # From two pages back, the next page is not the one with the newest payments.
        oldest = self.payments(before.pagination.url_params_previous_page)
        middle = self.payments(oldest.pagination.url_params_next_page).value
        expect_equal(converter.serialize(middle), converter.serialize(before.value), "middle page")
        # Nothing is newer than the latest page, and asking is allowed.
        future = self.payments(latest.pagination.url_params_next_page).value
        expect_equal(len(future), 0, "number of payments after the latest")
        pagination.count = 200
        page = self.payments(pagination.url_params_count_only)
        everything = page.value
        while page.pagination.has_previous_page():
            page = self.payments(page.pagination.url_params_previous_page)
            everything += page.value
        numbers = [payment.id_ for payment in everything]
        expect_equal(numbers, sorted(set(numbers), reverse=True), "order of payments")
        for payment in everything:
            expect_equal(payment.monetary_account_id, self.account_id, "account of a payment")
            expect(Decimal(payment.amount.value) != 0, "a payment of nothing")
            datetime.strptime(payment.created, "%Y-%m-%d %H:%M:%S.%f")
        one = endpoint.PaymentApiObject.get(numbers[-1], self.account_id).value
        expect_equal(one.to_json(), everything[-1].to_json(), "a payment by itself")

    def draft_payment(self):
        draft = endpoint.DraftPaymentApiObject
        shop = PointerObject("IBAN", SHOP_IBAN, SHOP_NAME)
        entry = DraftPaymentEntryObject(euros("12.50"), shop, "Coffee for all")
        number = draft.create([entry], 1, self.account_id).value
        made = draft.get(number, self.account_id).value
        expect_equal((made.id_, made.status), (number, "PENDING"), "draft payment")
        expect_equal(made.monetary_account_id, self.account_id, "account of the draft payment")
        expect_equal(len(made.entries), 1, "number of entries")
        expect_euros(made.entries[0].amount, "12.50", "amount of the draft payment")
        expect_equal(made.entries[0].description, "Coffee for all", "description")
        label = made.entries[0].counterparty_alias.label_monetary_account
        expect_equal(label.iban, SHOP_IBAN, "counterparty of the draft payment")
        # The SDK does not let a program see `updated`, so it has no previous_updated_timestamp to send.
        updated = draft.update(number, self.account_id, "CANCELLED").value
        expect_equal(updated, number, "id of the cancelled draft payment")
        expect_equal(draft.get(number, self.account_id).value.status, "CANCELLED", "status")

    def draft_without_access(self):
        """What needs no approval beforehand, in the third party's own session."""
        BunqContext.load_api_context(self.context)
        iban = self.customer["iban"]
        draft = endpoint.PaymentServiceProviderDraftPaymentApiObject
        number = draft.create(iban, SHOP_IBAN, SHOP_NAME, "Order 1", euros("10.00")).value
        made = draft.get(number).value
        expect_equal(made.status, "PENDING", "status of the provider's draft payment")
        expect_equal((made.sender_iban, made.receiver_iban), (iban, SHOP_IBAN), "the two sides")
        expect_euros(made.amount, "10.00", "amount of the provider's draft payment")

    def ask_for_funds(self):
        pointer = PointerObject("IBAN", self.customer["iban"], "Customer")
        for amount, wanted in [("0.01", True), ("99999999.00", False)]:
            answer = endpoint.ConfirmationOfFundsApiObject.create(pointer, euros(amount)).value
            expect(type(answer.has_sufficient_funds) is bool, answer.to_json())
            expect_equal(answer.has_sufficient_funds, wanted, f"answer to {amount}")


class Person:
    """An ordinary user of the bank's sandbox."""

    def __init__(self):
        self.main = None
        self.second = None

    def sign_up(self):
        # A new person, a key for it and a session, as the SDK's own tests begin.
        context = util.automatic_sandbox_install()
        BunqContext.load_api_context(context)
        expect(BunqContext.user_context().is_only_user_person_set(), "the user is no UserPerson")
        account = BunqContext.user_context().primary_monetary_account
        self.main = account.id_
        expect_euros(account.balance, "0.00", "balance of a new account")

    def expect_balance(self, account_id, value):
        balance = endpoint.MonetaryAccountBankApiObject.get(account_id).value.balance
        expect_euros(balance, value, f"balance of account {account_id}")

    def ask_for_money(self):
        inquiry = endpoint.RequestInquiryApiObject
        benefactor = PointerObject("EMAIL", "sugardaddy@bunq.com")
        number = inquiry.create(euros("100.00"), benefactor, "Pocket money", False).value
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            account = endpoint.MonetaryAccountBankApiObject.get(self.main).value
            if account.balance.value == "100.00":
                break
            time.sleep(0.1)
        self.expect_balance(self.main, "100.00")
        expect_equal(inquiry.get(number).value.status, "ACCEPTED", "status of the inquiry")

    def open_second_account(self):
        bank = endpoint.MonetaryAccountBankApiObject
        self.second = bank.get(bank.create("EUR", "Second account").value).value
        expect_equal(self.second.description, "Second account", "description of the account")
        expect_euros(self.second.balance, "0.00", "balance of the second account")
        numbers = [account.id_ for account in bank.list().value]
        expect_equal(sorted(numbers), sorted([self.main, self.second.id_]), "accounts")

    def pay(self):
        payment = endpoint.PaymentApiObject
        bravo = PointerObject("EMAIL", "bravo@bunq.com")
        for pointer, text in [(self.second.alias[0], "To myself"), (bravo, "To Bravo")]:
            number = payment.create(euros("1.00"), pointer, text).value
            made = payment.get(number).value
            expect_euros(made.amount, "-1.00", "amount of a payment")
            expect_equal(made.description, text, "description of a payment")
            expect_equal(made.monetary_account_id, self.main, "account of a payment")
            expect_equal(payment.list().value[0].id_, number, "the newest payment")
        self.expect_balance(self.main, "98.00")
        self.expect_balance(self.second.id_, "1.00")
        came = payment.list(self.second.id_).value
        expect_equal(len(came), 1, "number of payments on the second account")
        expect_euros(came[0].amount, "1.00", "amount that came")
        expect_equal(came[0].description, "To myself", "description of what came")

    def pay_batch(self):
        alias = self.second.alias[0]
        payments = [
            endpoint.PaymentApiObject(euros(value), alias, f"Number {value}")
            for value in ["0.25", "0.50"]
        ]
        number = endpoint.PaymentBatchApiObject.create(payments).value
        batch = endpoint.PaymentBatchApiObject.get(number).value
        found = sorted((one.amount.value, one.description) for one in batch.payments)
        wanted = [("-0.25", "Number 0.25"), ("-0.50", "Number 0.50")]
        expect_equal(found, wanted, "payments of the batch")
        self.expect_balance(self.main, "97.25")
        self.expect_balance(self.second.id_, "1.75")

    def expect_error(self):
        def read_missing():
            endpoint.MonetaryAccountBankApiObject.get(0)

        expect_refusal(read_missing, ApiException, "an account that does not exist")

    def close(self):
        # ApiContext.close_session of release 1.28.0 fails before it sends anything, for want of an
        # import; this is the call it would make, with the number it would use.
        endpoint.SessionApiObject.delete(0)
        kinds = (ForbiddenException, UnauthorizedException)
        expect_refusal(endpoint.UserApiObject.list, kinds, "a call after the end of the session")


def run(base_url, management_url, folder):
    """Yields the name of each step after it."""
    provider = Provider(base_url, management_url)
    provider.register(folder)
    yield "PSD2 user"
    provider.make_client()
    yield "OAuth client"
    provider.find_customer()
    yield "customer"
    provider.authorise()
    yield "authorization and token"
    provider.load_customer()
    yield "session with the access token"
    provider.read_accounts()
    yield "accounts"
    provider.read_payments()
    yield "payments page by page"
    provider.draft_payment()
    yield "draft payment"
    provider.draft_without_access()
    yield "draft payment of the service provider"
    provider.ask_for_funds()
    yield "confirmation of funds"
    person = Person()
    person.sign_up()
    yield "sandbox person"
    person.ask_for_money()
    yield "request inquiry"
    person.open_second_account()
    yield "second account"
    person.pay()
    yield "payments"
    person.pay_batch()
    yield "payment batch"
    person.expect_error()
    yield "error with a response id"
    person.close()
    yield "end of the session"


def main():
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    expect(len(sys.argv) == 3, "usage: bunq_sdk_client.py BASE_URL MANAGEMENT_URL")
    base_url, management_url = sys.argv[1:]
    expect(base_url.endswith("/v1/"), "the base URL has to end with /v1/")
    # No proxy stands between two programs on one machine.
    os.environ["NO_PROXY"] = "*"
    # The only thing of the SDK that is not as it was published; it has no setting for it.
    ApiEnvironmentType.SANDBOX._uri_base = base_url
    with tempfile.TemporaryDirectory() as folder:
        for step in run(base_url, management_url, Path(folder)):
            print(f"done: {step}", flush=True)


main()
