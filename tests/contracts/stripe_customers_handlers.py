"""Stripe's customers as somebody would write them."""

from itertools import count

from pydantic import MISSING

from steadfast_service.runtime.http.authorization import Credential, unauthenticated
from steadfast_service.stripe_customers import models, operations
from steadfast_service.stripe_customers.api import DefaultApi

SECRET = "sk_test_ü"
Known = models.Customer | models.DeletedCustomer


async def authorize(credential: Credential) -> None:
    """The key as a user without a password, or as a token."""
    expected = {"basicAuth": f"{SECRET}:", "bearerAuth": "token"}
    if credential.value != expected[credential.scheme]:
        raise unauthenticated("invalid_token", "The key is unknown.")


def _error(param: str, type_: models.Type = models.Type.INVALID_REQUEST_ERROR) -> models.Error:
    return models.Error(error=models.ApiErrors(type=type_, param=param))


class Customers(DefaultApi):
    """In memory; `created` counts them."""

    def __init__(self) -> None:
        self._by_id: dict[str, Known] = {}
        self._numbers = count(1)

    def _page(self, expand: list[str] | None) -> list[models.Customer]:
        there = [one for one in self._by_id.values() if isinstance(one, models.Customer)]
        return [_expanded(one, expand, "data.") for one in reversed(there)]

    async def get_customers(
        self,
        *,
        body: models.GetCustomersRequest | None,
        created: models.GetCustomersCreated | None,
        ending_before: models.GetCustomersEndingBefore | None,
        expand: models.GetCustomersExpand | None,
        limit: models.GetCustomersLimit,
        starting_after: models.GetCustomersStartingAfter | None,
    ) -> models.GetCustomers200Body | operations.GetCustomersDefault:
        if starting_after is not None and ending_before is not None:
            return operations.GetCustomersDefault(status=400, body=_error("ending_before"))
        found = [one for one in self._page(expand) if _within(one.created, created)]
        if starting_after is not None:
            place = [one.id for one in found].index(starting_after)
            found = found[place + 1 :]
        return models.GetCustomers200Body(
            data=found[:limit],
            has_more=len(found) > limit,
            object="list",
            url=f"/v1/customers?limit={limit}",
        )

    async def post_customers(
        self, *, body: models.PostCustomersRequest | None
    ) -> models.Customer | operations.PostCustomersDefault:
        body = models.PostCustomersRequest() if body is None else body
        if body.email is not MISSING and "@" not in body.email:
            refused = _error("email", models.Type.CARD_ERROR)
            return operations.PostCustomersDefault(status=402, body=refused)
        number = next(self._numbers)
        customer = models.Customer(
            created=number,
            id=f"cus_{number}",
            livemode=False,
            object="customer",
            address=_address(body.address),
            balance=body.balance,
            description=None if body.description is MISSING else body.description,
            email=body.email,
            metadata=_metadata(body.metadata, {}),
            name=_told(body),
            preferred_locales=body.preferred_locales,
            tax_exempt=_tax_exempt(body.tax_exempt),
            test_clock=f"clock_{number}" if number > 1 else MISSING,
        )
        self._by_id[customer.id] = customer
        return _expanded(customer, None if body.expand is MISSING else body.expand, "")

    async def get_customers_search(
        self,
        *,
        body: models.GetCustomersSearchRequest | None,
        expand: models.GetCustomersSearchExpand | None,
        limit: models.GetCustomersSearchLimit,
        page: models.GetCustomersSearchPage | None,
        query: models.GetCustomersSearchQuery,
    ) -> models.GetCustomersSearch200Body | operations.GetCustomersSearchDefault:
        if page == "lost":
            return operations.GetCustomersSearchDefault(status=500, body=_error("page"))
        found = [one for one in self._page(expand) if query == f'email:"{one.email}" & ü+%41'][
            :limit
        ]
        return models.GetCustomersSearch200Body(
            data=found,
            has_more=False,
            next_page=None if page is None else MISSING,
            object="search_result",
            url="/v1/customers/search",
        )

    async def get_customers_customer(
        self,
        *,
        body: models.GetCustomersCustomerRequest | None,
        customer: models.GetCustomersCustomerCustomer,
        expand: models.GetCustomersCustomerExpand | None,
    ) -> models.GetCustomersCustomer200Body | operations.GetCustomersCustomerDefault:
        found = self._by_id.get(customer)
        if found is None:
            return operations.GetCustomersCustomerDefault(status=404, body=_error("customer"))
        return _expanded(found, expand, "") if isinstance(found, models.Customer) else found

    async def post_customers_customer(
        self,
        *,
        body: models.PostCustomersCustomerRequest | None,
        customer: models.PostCustomersCustomerCustomer,
    ) -> models.Customer | operations.PostCustomersCustomerDefault:
        found = self._by_id.get(customer)
        if not isinstance(found, models.Customer):
            return operations.PostCustomersCustomerDefault(status=404, body=_error("customer"))
        if body is not None:
            if body.address is not MISSING:
                found.address = _address(body.address)
            if body.metadata is not MISSING:
                before = {} if found.metadata is MISSING else found.metadata
                found.metadata = _metadata(body.metadata, before)
            if body.description is not MISSING:
                found.description = body.description or None
        return found

    async def delete_customers_customer(
        self,
        *,
        body: models.DeleteCustomersCustomerRequest | None,
        customer: models.DeleteCustomersCustomerCustomer,
    ) -> models.DeletedCustomer | operations.DeleteCustomersCustomerDefault:
        if not isinstance(self._by_id.get(customer), models.Customer):
            return operations.DeleteCustomersCustomerDefault(status=404, body=_error("customer"))
        gone = models.DeletedCustomer(deleted=True, id=customer, object="customer")
        self._by_id[customer] = gone
        return gone


def _within(created: int, wanted: models.GetCustomersCreated | None) -> bool:
    if wanted is None or isinstance(wanted, int):
        return wanted in (None, created)
    return (
        (wanted.gt is MISSING or created > wanted.gt)
        and (wanted.gte is MISSING or created >= wanted.gte)
        and (wanted.lt is MISSING or created < wanted.lt)
        and (wanted.lte is MISSING or created <= wanted.lte)
    )


def _expanded(customer: models.Customer, expand: list[str] | None, at: str) -> models.Customer:
    """Where it is asked for, the clock itself in place of its id."""
    if f"{at}test_clock" not in (expand or ()) or not isinstance(customer.test_clock, str):
        return customer
    clock = models.TestHelpersTestClock(
        frozen_time=0,
        id=customer.test_clock,
        object="test_helpers.test_clock",
        status=models.Status.READY,
    )
    return customer.model_copy(update={"test_clock": clock})


def _address(given: models.Address1 | str | MISSING) -> models.Address | MISSING | None:
    """An empty text takes the address away."""
    if isinstance(given, models.Address1):
        return models.Address.model_validate(given.model_dump())
    return None if given == "" else MISSING


def _metadata(given: dict[str, str] | str | MISSING, before: dict[str, str]) -> dict[str, str]:
    return before | given if isinstance(given, dict) else {} if given == "" else before


def _tax_exempt(given: models.TaxExempt1 | MISSING) -> models.TaxExempt | MISSING | None:
    if given is MISSING:
        return MISSING
    return models.TaxExempt(given.value) if given else None


def _told(body: models.PostCustomersRequest) -> str | MISSING:
    """Says back, as JSON, what a customer has no room for."""
    room = {"shipping", "tax", "tax_id_data", "invoice_settings", "business_name"}
    return body.model_dump_json(include=room) if body.model_fields_set & room else body.name
