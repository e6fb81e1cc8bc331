"""What the handlers of GitHub's issues answer with."""

from datetime import UTC, datetime

from pydantic import MISSING

from steadfast_service.github_issues import models, operations

CREATED = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
ANN = models.NullableSimpleUser1(login="ann", id=2**63 - 1, gravatar_id=None)
APP = models.NullableIntegration1(
    id=7,
    name="bot",
    permissions=models.Permissions.model_validate({"issues": "write", "metadata": "read"}),
)


def says(message: str) -> models.BasicError:
    return models.BasicError(message=message)


MOVED = operations.MovedPermanently(body=says("moved"))
NOT_FOUND = operations.NotFound(body=models.BasicError(documentation_url="https://docs"))
GONE = operations.Gone(body=says("issues are disabled"))
FORBIDDEN = operations.Forbidden(body=models.BasicError())
DOWN = operations.ServiceUnavailable(body=models.ServiceUnavailable(code="down"))
INVALID = operations.ValidationFailed(
    body=models.ValidationError(
        message="invalid",
        documentation_url="https://docs",
        errors=[
            models.Error(code="absent"),
            models.Error(code="null", value=None),
            models.Error(code="text", value="7"),
            models.Error(code="number", value=7),
            models.Error(code="list", value=["a", "b"]),
        ],
    )
)


def labels_of(body: models.IssuesCreateRequest) -> list[str | models.Labels]:
    """Those that are objects by their id, and by whether they say that they have no colour."""
    labels = [] if body.labels is MISSING else body.labels
    return [
        one if isinstance(one, str) else models.Labels(id=one.id, default=one.color is None)
        for one in labels
    ]


def values_of(body: models.IssuesCreateRequest) -> list[models.IssueFieldValue]:
    given = [] if body.issue_field_values is MISSING else body.issue_field_values
    return [
        models.IssueFieldValue(
            issue_field_id=one.field_id,
            data_type=models.DataType.MULTI_SELECT
            if isinstance(one.value, list)
            else models.DataType.TEXT,
            value=len(one.value) if isinstance(one.value, list) else one.value,
        )
        for one in given
    ]
