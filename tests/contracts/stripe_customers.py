"""Everything that the client of Stripe's customers can ask."""

import base64
import json

import pytest
from pydantic import MISSING

from steadfast_service.runtime.errors import DependencyUnavailable
from steadfast_service.runtime.outbound.client import Client
from steadfast_service.stripe_customers import client as errors
from steadfast_service.stripe_customers import models
from steadfast_service.stripe_customers.api import build_router
from steadfast_service.stripe_customers.client import ApiClient

from .stripe_customers_handlers import SECRET, Customers, authorize
from .talking import always, run

FIRST, SECOND = "cus_1", "cus_2"


async def talk(client: ApiClient) -> None:
    """Every operation, with every answer that the contract has for it."""
    await _create(client)
    await _list(client)
    await _search(client)
    await _update(client)
    await _delete(client)


async def _created(client: ApiClient, body: models.PostCustomersRequest) -> models.Customer:
    made = await client.post_customers(body=body)
    assert isinstance(made, models.Customer)
    return made


async def _create(client: ApiClient) -> None:
    least = await client.post_customers()
    assert isinstance(least, models.Customer)
    assert (least.id, least.created) == (FIRST, 1)
    assert least.description is None
    assert least.email is MISSING
    assert least.address is MISSING
    assert least.test_clock is MISSING
    assert least.metadata == {}

    address = models.Address1(city="Zürich & Umgebung", line1="a=b", line2="")
    most = models.PostCustomersRequest(
        address=address,
        balance=-250,
        business_name="",
        description="100 % [brackets] + plus",
        email="ann+1@example.org",
        expand=["test_clock"],
        invoice_settings=models.InvoiceSettings(
            custom_fields=[
                models.CustomField(name="PO", value="7"),
                models.CustomField(name="Ref", value="true"),
            ],
            footer="fin",
        ),
        metadata={"n": "5", "t": "true", "null": "null", "a b": "ü", "deep[er]": "", "0": "zero"},
        preferred_locales=["de-CH", "en"] * 6,
        shipping=models.Shipping(address=address, name="Ann"),
        tax=models.Tax(ip_address="", validate_location=models.ValidateLocation.DEFERRED),
        tax_exempt=models.TaxExempt1.REVERSE,
        tax_id_data=[
            models.TaxIdDatum(type="eu_vat", value="1"),
            models.TaxIdDatum(type="ch_vat", value="2"),
        ],
    )
    made = await _created(client, most)
    assert made.id == SECOND
    assert made.address == models.Address(city="Zürich & Umgebung", line1="a=b", line2="")
    assert (made.balance, made.email, made.description) == (-250, most.email, most.description)
    assert made.metadata == most.metadata
    assert made.preferred_locales == most.preferred_locales
    assert made.tax_exempt == models.TaxExempt.REVERSE
    assert isinstance(made.test_clock, models.TestHelpersTestClock)
    assert made.test_clock.status == models.Status.READY
    assert isinstance(made.name, str)
    room = {"shipping", "tax", "tax_id_data", "invoice_settings", "business_name"}
    assert json.loads(made.name) == json.loads(most.model_dump_json(include=room))

    emptied = models.PostCustomersRequest(
        address="",
        metadata="",
        tax_exempt=models.TaxExempt1.FIELD_,
        invoice_settings=models.InvoiceSettings(custom_fields=""),
    )
    made = await _created(client, emptied)
    assert (made.address, made.metadata, made.tax_exempt) == (None, {}, None)
    assert made.name == '{"invoice_settings":{"custom_fields":""}}'
    with pytest.raises(errors.PostCustomersDefaultError) as refused:
        await client.post_customers(body=models.PostCustomersRequest(email="nobody"))
    assert refused.value.status == 402
    assert refused.value.body.error.type == models.Type.CARD_ERROR
    assert refused.value.body.error.code is MISSING


async def _list(client: ApiClient) -> None:
    async def ids(
        created: models.GetCustomersCreated | None = None, **rest: str | int
    ) -> list[int]:
        page = await client.get_customers(
            created=created,
            limit=int(rest["limit"]) if "limit" in rest else None,
            starting_after=str(rest["after"]) if "after" in rest else None,
            body=models.GetCustomersRequest(),
        )
        assert isinstance(page, models.GetCustomers200Body)
        assert page.url == f"/v1/customers?limit={rest.get('limit', 10)}"
        assert page.has_more == (rest.get("limit") == 2)
        return [one.created for one in page.data]

    assert await ids() == [3, 2, 1]
    assert await ids(2) == [2]
    assert await ids(models.GetCustomersCreated1(gte=2)) == [3, 2]
    assert await ids(models.GetCustomersCreated1(gt=1, lte=2)) == [2]
    assert await ids(limit=2) == [3, 2]
    assert await ids(limit=100, after=SECOND) == [1]
    page = await client.get_customers(expand=["data.test_clock", "data.address"])
    assert isinstance(page, models.GetCustomers200Body)
    assert [type(one.test_clock) for one in page.data[:2]] == [models.TestHelpersTestClock] * 2
    with pytest.raises(errors.GetCustomersDefaultError) as refused:
        await client.get_customers(starting_after=FIRST, ending_before=SECOND)
    assert refused.value.body.error.param == "ending_before"


async def _search(client: ApiClient) -> None:
    query = 'email:"ann+1@example.org" & ü+%41'
    found = await client.get_customers_search(query=query, limit=1)
    assert isinstance(found, models.GetCustomersSearch200Body)
    assert [one.id for one in found.data] == [SECOND]
    assert (found.next_page, found.total_count) == (None, MISSING)
    assert found.data[0].test_clock == "clock_2"
    found = await client.get_customers_search(query="", page="next", expand=["data.test_clock"])
    assert isinstance(found, models.GetCustomersSearch200Body)
    assert (found.data, found.next_page) == ([], MISSING)
    with pytest.raises(DependencyUnavailable) as down:
        await client.get_customers_search(query=query, page="lost")
    cause = down.value.__cause__
    assert isinstance(cause, errors.GetCustomersSearchDefaultError)
    assert cause.body.error.param == "page"


async def _update(client: ApiClient) -> None:
    body = models.PostCustomersCustomerRequest(metadata={"n": "6"}, description="")
    changed = await client.post_customers_customer(body=body, customer=SECOND)
    assert isinstance(changed, models.Customer)
    assert changed.metadata is not MISSING
    assert (changed.metadata["n"], changed.metadata["t"]) == ("6", "true")
    assert changed.description is None
    assert isinstance(changed.address, models.Address)
    body = models.PostCustomersCustomerRequest(metadata="", address=models.Address1(state="ZH"))
    changed = await client.post_customers_customer(body=body, customer=SECOND)
    assert isinstance(changed, models.Customer)
    assert (changed.metadata, changed.address) == ({}, models.Address(state="ZH"))
    assert await client.post_customers_customer(customer=SECOND) == changed
    with pytest.raises(errors.PostCustomersCustomerDefaultError):
        await client.post_customers_customer(customer="cus_9")


async def _delete(client: ApiClient) -> None:
    there = await client.get_customers_customer(customer=SECOND, expand=["test_clock"])
    assert isinstance(there, models.Customer)
    assert isinstance(there.test_clock, models.TestHelpersTestClock)
    deleted = models.DeletedCustomer(deleted=True, id=SECOND, object="customer")
    assert await client.delete_customers_customer(customer=SECOND) == deleted
    assert await client.get_customers_customer(customer=SECOND) == deleted
    with pytest.raises(errors.DeleteCustomersCustomerDefaultError):
        await client.delete_customers_customer(customer=SECOND)
    with pytest.raises(errors.GetCustomersCustomerDefaultError) as unknown:
        await client.get_customers_customer(customer="cus_9")
    assert unknown.value.status == 404


async def _strangers(outbound: Client) -> None:
    for client in (ApiClient(outbound), ApiClient(outbound, token=always(_basic("sk_live:")))):
        # By the contract this is an error of Stripe's form, and ours is a problem.
        with pytest.raises(DependencyUnavailable, match="status 401"):
            await client.get_customers()
    token = {"authorization": "Bearer token"}
    assert (await outbound.exchange("GET", "/v1/customers", headers=token)).status_code == 200


def _basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def _program(outbound: Client) -> None:
    await talk(ApiClient(outbound, token=always(_basic(f"{SECRET}:"))))
    await _strangers(outbound)


if __name__ == "__main__":
    run(build_router(default=Customers(), authorize=authorize, check=True), _program)
