"""Everything that the client of GitHub's issues can ask."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import MISSING

from steadfast_service.github_issues import client as errors
from steadfast_service.github_issues import models, operations
from steadfast_service.github_issues.api import build_router
from steadfast_service.github_issues.client import ApiClient
from steadfast_service.runtime.errors import DependencyUnavailable
from steadfast_service.runtime.outbound.client import Client

from .github_issues_answers import ANN, CREATED, INVALID
from .github_issues_handlers import Issues
from .talking import run

OWNER, REPO = "octo ü", "leaks"
NEW = models.IssuesCreateRequest(title="t")
COMMENT = models.IssuesCreateCommentRequest(body="Seen, 100 % & more")


async def talk(client: ApiClient) -> None:
    """Every operation, with every answer that the contract has for it."""
    await _create(client)
    await _list(client)
    await _get(client)
    await _update(client)
    await _comments(client)
    await _lock(client)


async def _created(client: ApiClient, body: models.IssuesCreateRequest) -> models.Issue:
    made = await client.issues_create(body=body, owner=OWNER, repo=REPO)
    assert isinstance(made, operations.IssuesCreate201)
    assert made.location == made.body.url
    return made.body


async def _create(client: ApiClient) -> None:
    least = await _created(client, NEW)
    assert least.title == "str t"
    assert least.body is MISSING
    assert least.performed_via_github_app is MISSING
    assert (least.user, least.assignee, least.closed_at) == (None, None, None)
    assert least.created_at == CREATED + timedelta(days=1)

    most = await _created(
        client,
        models.IssuesCreateRequest(
            title=7,
            body="",
            assignee="ann",
            milestone=1,
            labels=["bug", "ui", models.Labels1(id=3, color=None), models.Labels1(name="x")],
            issue_field_values=[
                models.IssueFieldValue1(field_id=1, value="1.5"),
                models.IssueFieldValue1(field_id=2, value=1.5),
                models.IssueFieldValue1(field_id=3, value=["a", "b"]),
            ],
            type=None,
        ),
    )
    assert most.title == "int 7"
    assert most.body == ""
    assert most.assignee == ANN
    assert isinstance(most.performed_via_github_app, models.NullableIntegration1)
    assert most.performed_via_github_app.permissions.issues == "write"
    assert most.performed_via_github_app.permissions.model_extra == {"metadata": "read"}
    labels = [models.Labels(id=3, default=True), models.Labels(default=False)]
    assert most.labels == ["bug", "ui", *labels]
    assert most.issue_field_values is not MISSING
    assert [one.value for one in most.issue_field_values] == ["1.5", 1.5, 2]

    null = await _created(client, models.IssuesCreateRequest(title="t", assignee=None))
    assert null.assignee is None
    assert null.performed_via_github_app is not MISSING

    with pytest.raises(errors.BadRequest) as bad:
        await client.issues_create(
            body=models.IssuesCreateRequest(title=""), owner=OWNER, repo=REPO
        )
    assert isinstance(bad.value.body, models.BasicError)
    with pytest.raises(errors.BadRequest) as bad:
        await client.issues_create(body=models.IssuesCreateRequest(title=0), owner=OWNER, repo=REPO)
    assert bad.value.body == models.ScimError(detail=None, status=400)
    body = models.IssuesCreateRequest(title="t", assignee="nobody")
    with pytest.raises(errors.ValidationFailed) as refused:
        await client.issues_create(body=body, owner=OWNER, repo=REPO)
    assert refused.value.body == INVALID.body
    assert refused.value.body.errors is not MISSING
    values = [one.value for one in refused.value.body.errors]
    assert values == [MISSING, None, "7", 7, ["a", "b"]]
    with pytest.raises(errors.Forbidden) as hidden:
        await client.issues_create(body=NEW, owner=OWNER, repo="hidden")
    assert hidden.value.body.message is MISSING
    with pytest.raises(errors.Gone):
        await client.issues_create(body=NEW, owner=OWNER, repo="gone")
    with pytest.raises(errors.NotFound) as unknown:
        await client.issues_create(body=NEW, owner="somebody", repo=REPO)
    assert unknown.value.body.documentation_url == "https://docs"
    with pytest.raises(errors.ServiceUnavailable) as down:
        await client.issues_create(body=NEW, owner=OWNER, repo="down")
    assert down.value.body.code == "down"
    assert isinstance(down.value, DependencyUnavailable)  # what makes our caller's 503


async def _list(client: ApiClient) -> None:
    everything = await client.issues_list_for_repo(owner=OWNER, repo=REPO)
    assert isinstance(everything, operations.IssuesListForRepo200)
    assert [one.number for one in everything.body] == [3, 2, 1]
    assert everything.link is None
    first = await client.issues_list_for_repo(
        owner=OWNER,
        repo=REPO,
        state=models.IssuesListForRepoState.ALL,
        labels="bug,ui",
        sort=models.IssuesListForRepoSort.COMMENTS,
        direction=models.Direction.ASC,
        since=(CREATED + timedelta(days=2)).astimezone(UTC),
        per_page=1,
        page=1,
    )
    assert isinstance(first, operations.IssuesListForRepo200)
    assert [one.number for one in first.body] == [2]
    page = await client.issues_list_for_repo(owner=OWNER, repo=REPO, per_page=2)
    assert isinstance(page, operations.IssuesListForRepo200)
    assert page.link == '<?page=2>; rel="next"'
    late = datetime(2030, 1, 1, tzinfo=UTC)
    none = await client.issues_list_for_repo(owner=OWNER, repo=REPO, since=late)
    assert none == operations.IssuesListForRepo200(body=[])
    moved = await client.issues_list_for_repo(owner=OWNER, repo="moved")
    assert isinstance(moved, operations.MovedPermanently)
    assert moved.body.message == "moved"
    with pytest.raises(errors.ValidationFailed):
        await client.issues_list_for_repo(owner=OWNER, repo=REPO, per_page=101)
    with pytest.raises(errors.NotFound):
        await client.issues_list_for_repo(owner=OWNER, repo="none")


async def _get(client: ApiClient) -> None:
    there = await client.issues_get(owner=OWNER, repo=REPO, issue_number=1)
    assert isinstance(there, operations.IssuesGet200)
    assert there.body.state_reason is MISSING
    same = await client.issues_get(owner=OWNER, repo="unchanged", issue_number=1)
    assert same == operations.NotModified()
    moved = await client.issues_get(owner=OWNER, repo="moved", issue_number=1)
    assert isinstance(moved, operations.MovedPermanently)
    for number, error in ((-1, errors.Gone), (99, errors.NotFound)):
        with pytest.raises(error):
            await client.issues_get(owner=OWNER, repo=REPO, issue_number=number)
        with pytest.raises(error):
            await client.issues_update(owner=OWNER, repo=REPO, issue_number=number)
        with pytest.raises(error):
            await client.issues_list_comments(owner=OWNER, repo=REPO, issue_number=number)
        with pytest.raises(error):
            await client.issues_create_comment(
                body=COMMENT, owner=OWNER, repo=REPO, issue_number=number
            )
        with pytest.raises(error):
            await client.issues_lock(owner=OWNER, repo=REPO, issue_number=number)


async def _update(client: ApiClient) -> None:
    async def update(body: models.IssuesUpdateRequest | None) -> models.IssuesUpdate200Body:
        done = await client.issues_update(body=body, owner=OWNER, repo=REPO, issue_number=2)
        assert isinstance(done, operations.IssuesUpdate200)
        return done.body

    untouched = await update(None)
    assert (untouched.title, untouched.body) == ("int 7", "")
    assert untouched.suggestions is not MISSING
    assert untouched.suggestions.type == [{"any": ["thing", None]}, {}]
    closed = models.IssuesUpdateRequest(
        state=models.State.CLOSED, state_reason=models.StateReason1.NOT_PLANNED, title=8
    )
    changed = await update(closed)
    assert (changed.state, changed.title, changed.body) == ("closed", "8", "")
    assert changed.state_reason == models.StateReason2.NOT_PLANNED
    assert changed.closed_at == CREATED
    changed = await update(models.IssuesUpdateRequest(state_reason=None, body=None))
    assert (changed.state_reason, changed.body) == (None, None)
    assert changed.labels[2:] == [
        models.Labels2(id=3, default=True),
        models.Labels2(default=False),
    ]
    with pytest.raises(errors.ValidationFailed):
        await update(models.IssuesUpdateRequest(title=None))
    with pytest.raises(errors.Forbidden):
        await client.issues_update(owner=OWNER, repo="hidden", issue_number=1)
    with pytest.raises(errors.ServiceUnavailable):
        await client.issues_update(owner=OWNER, repo="down", issue_number=1)
    moved = await client.issues_update(owner=OWNER, repo="moved", issue_number=1)
    assert isinstance(moved, operations.MovedPermanently)


async def _comments(client: ApiClient) -> None:
    made = await client.issues_create_comment(body=COMMENT, owner=OWNER, repo=REPO, issue_number=1)
    assert isinstance(made, operations.IssuesCreateComment201)
    assert made.body.body == COMMENT.body
    assert made.body.reactions is not MISSING
    assert (made.body.reactions.field_1, made.body.reactions.field_1_1) == (1, 2)
    listed = await client.issues_list_comments(
        owner=OWNER, repo=REPO, issue_number=1, since=CREATED, per_page=5, page=1
    )
    assert listed == operations.IssuesListComments200(body=[made.body])
    with pytest.raises(errors.ValidationFailed):
        await client.issues_create_comment(
            body=models.IssuesCreateCommentRequest(body=""),
            owner=OWNER,
            repo=REPO,
            issue_number=1,
        )
    with pytest.raises(errors.Forbidden):
        await client.issues_create_comment(body=COMMENT, owner=OWNER, repo="hidden", issue_number=1)


async def _lock(client: ApiClient) -> None:
    assert await client.issues_lock(owner=OWNER, repo=REPO, issue_number=1) is None
    heated = models.IssuesLockRequest1(lock_reason=models.LockReason.TOO_HEATED)
    assert await client.issues_lock(body=heated, owner=OWNER, repo=REPO, issue_number=1) is None
    spam = models.IssuesLockRequest1(lock_reason=models.LockReason.SPAM)
    with pytest.raises(errors.ValidationFailed):
        await client.issues_lock(body=spam, owner=OWNER, repo=REPO, issue_number=1)
    with pytest.raises(errors.Forbidden):
        await client.issues_lock(owner=OWNER, repo="hidden", issue_number=1)


async def _program(outbound: Client) -> None:
    await talk(ApiClient(outbound))


if __name__ == "__main__":
    run(build_router(issues=Issues(), check=True), _program)
