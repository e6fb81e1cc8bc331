"""Everything that the Petstore's client can ask of it."""

import pytest
from pydantic import MISSING

from steadfast_service.petstore import client as errors
from steadfast_service.petstore import models, operations
from steadfast_service.petstore.api import build_router
from steadfast_service.petstore.client import ApiClient
from steadfast_service.runtime.errors import DependencyUnavailable
from steadfast_service.runtime.outbound.client import Client

from .petstore_handlers import (
    KEY,
    LATER,
    SESSION,
    Inventory,
    Pets,
    Store,
    Users,
    authorize,
    digest,
)
from .talking import always, run

# Not UTF-8, and with what a multipart body is made of.
IMAGE = bytes(range(256)) + b"\r\n--boundary--\r\n"


async def talk(client: ApiClient) -> None:
    """Every operation, with every answer that the contract has for it."""
    await _pets(client)
    await _uploads(client)
    await _orders(client)
    await _users(client)


async def _pets(client: ApiClient) -> None:
    tag = models.Tag(name="fluffy")
    kinds = models.Category(
        name="Animals", children=[models.Category(name="Cats", children=[models.Category(id=3)])]
    )
    cat = models.Cat(
        pet_type="Cat",
        id=2**63 - 1,
        name="Mimi",
        photo_urls=[],
        category=kinds,
        tags=[tag, models.Tag(name="old")],
        status=models.Status.SOLD,
        hunting_skill=models.HuntingSkill.LAZY,
    )
    dog = models.Dog(pet_type="dog", id=1, name="Rex", photo_urls=["a", "b"], pack_size=0)
    assert await client.add_pet(body=cat) == cat
    assert await client.add_pet(body=dog) == dog
    with pytest.raises(errors.AddPet405Error) as refused:
        await client.add_pet(body=dog.model_copy(update={"id": MISSING}))
    assert refused.value.status == 405
    assert refused.value.body is None

    found = await client.get_pet_by_id(pet_id=2**63 - 1)
    assert isinstance(found, models.Cat)
    assert found.category is not MISSING
    assert found.category.children is not MISSING
    assert found.category.children[0].children == [models.Category(id=3)]
    found = await client.get_pet_by_id(pet_id=1)
    assert isinstance(found, models.Dog)
    assert found.status is MISSING
    with pytest.raises(errors.GetPetById400Error):
        await client.get_pet_by_id(pet_id=-1)
    with pytest.raises(errors.GetPetById404Error):
        await client.get_pet_by_id(pet_id=0)

    await client.update_pet_with_form(pet_id=1, name="Réx & co", status="pending")
    await client.update_pet_with_form(pet_id=1)
    with pytest.raises(errors.UpdatePetWithForm405Error):
        await client.update_pet_with_form(pet_id=1, status="gone")
    sold, pending = models.FindPetsByStatusStatu.SOLD, models.FindPetsByStatusStatu.PENDING
    assert await client.find_pets_by_status(status=[sold]) == [cat]
    both = await client.find_pets_by_status(status=[sold, pending])
    assert isinstance(both, list)
    assert [pet.name for pet in both] == ["Mimi", "Réx & co"]
    assert await client.find_pets_by_status() == []  # those that are available
    with pytest.raises(errors.FindPetsByStatus400Error):
        await client.find_pets_by_status(status=[sold, sold])
    assert await client.find_pets_by_tags(tags=["fluffy", "old"]) == [cat]
    with pytest.raises(ValueError, match="','"):
        await client.find_pets_by_tags(tags=["fluffy,old"])  # would read as two tags
    assert await client.find_pets_by_tags(tags=["fluffy", "young"]) == []
    with pytest.raises(errors.FindPetsByTags400Error):
        await client.find_pets_by_tags()
    assert await client.get_inventory() == {"sold": 1, "pending": 1}
    with pytest.raises(errors.DeletePet400Error):
        await client.delete_pet(pet_id=1)
    await client.delete_pet(pet_id=1, api_key=KEY)
    assert await client.get_inventory() == {"sold": 1}


async def _uploads(client: ApiClient) -> None:
    said = await client.upload_file(body=IMAGE, pet_id=1, additional_metadata="ü=&")
    assert said == models.ApiResponse(code=len(IMAGE), type="ü=&", message=digest(IMAGE))
    said = await client.upload_file(body=IMAGE, pet_id=1)
    assert said.type is MISSING
    assert await client.upload_file(pet_id=1) == models.ApiResponse(code=0)

    form = models.UploadFileFormRequest(additional_metadata='ü\r\n"', file=IMAGE)
    said = await client.upload_file_form(body=form, pet_id=1)
    assert said == models.ApiResponse(code=len(IMAGE), type='ü\r\n"', message=digest(IMAGE))
    said = await client.upload_file_form(body=models.UploadFileFormRequest(file=b""), pet_id=1)
    assert said == models.ApiResponse(code=0, message=digest(b""))
    form = models.UploadFileFormRequest(additional_metadata="no file")
    assert await client.upload_file_form(body=form, pet_id=1) == models.ApiResponse(code=0)
    assert await client.upload_file_form(pet_id=1) == models.ApiResponse(code=0)


async def _orders(client: ApiClient) -> None:
    absent = models.Order(id=1)
    null = models.Order(id=2, ship_date=None, class_=None, from_=None)
    full = models.Order(
        id=3,
        pet_id=1,
        quantity=2,
        ship_date=LATER,
        status=models.Status3.PLACED,
        complete=False,
        class_=models.Class.EXPRESS,
        from_=models.User(username="ann"),
    )
    for order in (absent, null, full):
        placed = await client.place_order(body=order)
        assert placed == order
        assert isinstance(placed, models.Order)
        assert (placed.class_ is MISSING, placed.class_ is None) == (order is absent, order is null)
        assert (placed.from_ is MISSING, placed.from_ is None) == (order is absent, order is null)
    with pytest.raises(errors.PlaceOrder405Error):
        await client.place_order()
    assert await client.list_orders() == [absent, null, full]
    assert await client.list_orders(from_=LATER) == [full]
    assert await client.list_orders(from_=LATER.replace(year=2027)) == []
    assert await client.list_orders(class_=models.ListOrdersClass1.EXPRESS) == [full]
    assert await client.delete_order(order_id=1) is None
    assert await client.list_orders() == [null, full]
    with pytest.raises(errors.DeleteOrder404Error):
        await client.delete_order(order_id=1)
    with pytest.raises(errors.DeleteOrder400Error):
        await client.delete_order(order_id=-1)


async def _users(client: ApiClient) -> None:
    ann = models.User(username="ann ü?", first_name="Ann", password="a&b=c +%")
    bob = models.User(username="bob", password="b")
    created = await client.create_user(body=ann)
    assert created == operations.CreateUserDefault(status=201, body=ann)
    assert (await client.create_user()).status == 200
    assert await client.create_users_with_list_input(body=[ann, bob]) == bob
    with pytest.raises(errors.CreateUsersWithListInputDefaultError) as refused:
        await client.create_users_with_list_input(body=[])
    assert refused.value.status == 409

    entered = await client.login_user(username="ann ü?", password="a&b=c +%")
    assert isinstance(entered, operations.LoginUser200)
    assert (entered.body, entered.x_rate_limit) == (SESSION, -5)
    assert entered.x_expires_after == LATER
    again = await client.login_user(username="bob", password="b")
    assert isinstance(again, operations.LoginUser200)
    assert again.x_expires_after is None
    with pytest.raises(errors.LoginUser400Error):
        await client.login_user(username="bob")
    assert (await client.get_user_logout(session_id=entered.body)).status == 204
    assert (await client.get_user_logout()).status == 205

    assert await client.get_user_by_name(username="ann ü?") == ann
    with pytest.raises(errors.GetUserByName400Error):
        await client.get_user_by_name(username=" ")
    with pytest.raises(errors.GetUserByName404Error):
        await client.get_user_by_name(username="nobody")
    assert await client.delete_user(username="bob") is None
    with pytest.raises(errors.DeleteUser404Error):
        await client.delete_user(username="bob")
    with pytest.raises(errors.DeleteUser400Error):
        await client.delete_user(username=" ")


async def _strangers(outbound: Client) -> None:
    """A 401 or 403, which this contract does not declare, is no answer of it."""
    nobody = ApiClient(outbound)
    reader = ApiClient(outbound, token=always("reads"))
    for client, status in (
        (nobody, 401),
        (ApiClient(outbound, token=always("wrong")), 401),
        (reader, 403),
    ):
        with pytest.raises(DependencyUnavailable, match=f"status {status}"):
            await client.upload_file(pet_id=1)
    assert len(await nobody.list_orders()) == 2  # asks for nothing
    # Of an alternative the other half will do.
    header = {"authorization": f"Bearer {KEY}"}
    assert (await outbound.exchange("GET", "/pet/0", headers=header)).status_code == 404
    assert (await outbound.exchange("GET", "/store/inventory", headers=header)).status_code == 401


async def _program(outbound: Client) -> None:
    await talk(ApiClient(outbound, token=always(KEY)))
    await _strangers(outbound)


if __name__ == "__main__":
    pets = Pets()
    run(
        build_router(
            pet=pets,
            default=Inventory(pets),
            store=Store(),
            user=Users(),
            authorize=authorize,
            check=True,
        ),
        _program,
    )
