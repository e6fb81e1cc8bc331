"""The Petstore as somebody would write it."""

import hashlib
from datetime import UTC, datetime

from pydantic import MISSING

from steadfast_service.petstore import models, operations
from steadfast_service.petstore.api import DefaultApi, PetApi, StoreApi, UserApi
from steadfast_service.runtime.http.authorization import Credential, forbidden, unauthenticated

# A cookie cannot hold the half of it as it is.
KEY, SESSION = "special-key", 'a b;c="d"%41,é'
LATER = datetime(2026, 11, 24, 12, 30, 0, 250_000, UTC)


class Pets(PetApi):
    """Pets in memory."""

    def __init__(self) -> None:
        self.by_id: dict[int, models.Pet] = {}

    async def add_pet(self, *, body: models.Pet) -> models.Pet | operations.AddPet405:
        if body.id is MISSING:
            return operations.AddPet405()
        self.by_id[body.id] = body
        return body

    async def find_pets_by_status(
        self, *, status: models.FindPetsByStatusStatus
    ) -> list[models.Pet] | operations.FindPetsByStatus400:
        if len(set(status)) < len(status):
            return operations.FindPetsByStatus400()
        return [pet for pet in self.by_id.values() if pet.status in {str(one) for one in status}]

    async def find_pets_by_tags(
        self, *, tags: list[str] | None
    ) -> list[models.Pet] | operations.FindPetsByTags400:
        if tags is None:
            return operations.FindPetsByTags400()
        return [pet for pet in self.by_id.values() if set(tags) <= _tags(pet)]

    async def get_pet_by_id(
        self, *, pet_id: models.PetId
    ) -> models.Pet | operations.GetPetById400 | operations.GetPetById404:
        if pet_id < 0:
            return operations.GetPetById400()
        return self.by_id.get(pet_id) or operations.GetPetById404()

    async def update_pet_with_form(
        self, *, pet_id: models.PetId, name: str | None, status: str | None
    ) -> operations.UpdatePetWithForm405 | None:
        pet = self.by_id.get(pet_id)
        if pet is None or status not in (None, *models.Status):
            return operations.UpdatePetWithForm405()
        pet.name = pet.name if name is None else name
        pet.status = pet.status if status is None else models.Status(status)
        return None

    async def delete_pet(
        self, *, pet_id: models.PetId, api_key: str | None
    ) -> operations.DeletePet400 | None:
        if api_key != KEY:
            return operations.DeletePet400()
        del self.by_id[pet_id]
        return None

    async def upload_file(
        self, *, body: bytes | None, pet_id: models.PetId, additional_metadata: str | None
    ) -> models.ApiResponse:
        if body is None:
            return models.ApiResponse(code=0)
        about = MISSING if additional_metadata is None else additional_metadata
        return models.ApiResponse(code=len(body), type=about, message=digest(body))

    async def upload_file_form(
        self, *, body: models.UploadFileFormRequest | None, pet_id: models.PetId
    ) -> models.ApiResponse:
        if body is None or body.file is MISSING:
            return models.ApiResponse(code=0)
        return models.ApiResponse(
            code=len(body.file), type=body.additional_metadata, message=digest(body.file)
        )


class Inventory(DefaultApi):
    """Counts the pets."""

    def __init__(self, pets: Pets) -> None:
        self._pets = pets

    async def get_inventory(self) -> models.GetInventory200Body:
        pets = self._pets.by_id.values()
        statuses = [str(pet.status) for pet in pets if pet.status is not MISSING]
        return {status: statuses.count(status) for status in statuses}


class Store(StoreApi):
    """Orders in memory."""

    def __init__(self) -> None:
        self.orders: list[models.Order] = []

    async def list_orders(
        self, *, from_: models.ListOrdersFrom | None, class_: models.ListOrdersClass | None
    ) -> list[models.Order]:
        return [
            order
            for order in self.orders
            if (
                from_ is None
                or (isinstance(order.ship_date, datetime) and order.ship_date >= from_)
            )
            and (class_ is None or order.class_ == class_.value)
        ]

    async def place_order(
        self, *, body: models.Order | None
    ) -> models.Order | operations.PlaceOrder405:
        if body is None:
            return operations.PlaceOrder405()
        self.orders.append(body)
        return body

    async def delete_order(
        self, *, order_id: models.DeleteOrderOrderId
    ) -> operations.DeleteOrder400 | operations.DeleteOrder404 | None:
        if order_id < 0:
            return operations.DeleteOrder400()
        found = [order for order in self.orders if order.id == order_id]
        if not found:
            return operations.DeleteOrder404()
        self.orders.remove(found[0])
        return None


class Users(UserApi):
    """Users in memory."""

    def __init__(self) -> None:
        self.by_name: dict[str, models.User] = {}

    async def create_user(self, *, body: models.User | None) -> operations.CreateUserDefault:
        user = body or models.User(username="somebody")
        assert user.username is not MISSING
        self.by_name[user.username] = user
        return operations.CreateUserDefault(status=201 if body else 200, body=user)

    async def create_users_with_list_input(
        self, *, body: list[models.User] | None
    ) -> models.User | operations.CreateUsersWithListInputDefault:
        if not body:
            return operations.CreateUsersWithListInputDefault(status=409)
        for user in body:
            await self.create_user(body=user)
        return body[-1]

    async def login_user(
        self, *, username: str | None, password: str | None
    ) -> operations.LoginUser200 | operations.LoginUser400:
        user = self.by_name.get(username or "")
        if user is None or user.password != password:
            return operations.LoginUser400()
        expires = None if user.first_name is MISSING else LATER
        return operations.LoginUser200(body=SESSION, x_rate_limit=-5, x_expires_after=expires)

    async def get_user_logout(self, *, session_id: str | None) -> operations.GetUserLogoutDefault:
        return operations.GetUserLogoutDefault(status=204 if session_id == SESSION else 205)

    async def get_user_by_name(
        self, *, username: str
    ) -> models.User | operations.GetUserByName400 | operations.GetUserByName404:
        if username == " ":
            return operations.GetUserByName400()
        return self.by_name.get(username) or operations.GetUserByName404()

    async def delete_user(
        self, *, username: str
    ) -> operations.DeleteUser400 | operations.DeleteUser404 | None:
        if username == " ":
            return operations.DeleteUser400()
        gone = self.by_name.pop(username, None)
        return operations.DeleteUser404() if gone is None else None


def _tags(pet: models.Pet) -> set[object]:
    return set() if pet.tags is MISSING else {tag.name for tag in pet.tags}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def authorize(credential: Credential) -> None:
    """One key opens everything; a token that only reads lacks a scope."""
    if credential.value == "reads" and "write:pets" in credential.scopes:
        raise forbidden(credential.scopes)
    if credential.value != KEY:
        raise unauthenticated("invalid_token", "The credential is unknown.")
