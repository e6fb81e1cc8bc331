"""Issues of repositories as somebody would write them; a repository's name says what is wrong."""

from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import MISSING

from steadfast_service.github_issues import models, operations
from steadfast_service.github_issues.api import IssuesApi

from .github_issues_answers import (
    ANN,
    APP,
    CREATED,
    DOWN,
    FORBIDDEN,
    GONE,
    INVALID,
    MOVED,
    NOT_FOUND,
    labels_of,
    says,
    values_of,
)

Lost = operations.NotFound | operations.Gone


@dataclass
class Repository:
    """Its issues by number, and the comments of each."""

    issues: dict[int, models.Issue] = field(default_factory=dict)
    comments: dict[int, list[models.IssueComment]] = field(default_factory=dict)

    def find(self, number: int) -> models.Issue | Lost:
        """An issue that is not there was there if its number is negative."""
        return self.issues.get(number) or (GONE if number < 0 else NOT_FOUND)


class Issues(IssuesApi):
    """In memory."""

    def __init__(self) -> None:
        self._repositories = {("octo ü", "leaks"): Repository()}

    def _find(self, owner: str, repo: str) -> Repository | None:
        return self._repositories.get((owner, repo))

    async def issues_list_for_repo(
        self,
        *,
        owner: str,
        repo: str,
        state: models.IssuesListForRepoState,
        labels: str | None,
        sort: models.IssuesListForRepoSort,
        direction: models.Direction,
        since: models.Since | None,
        per_page: int,
        page: int,
    ) -> (
        operations.IssuesListForRepo200
        | operations.MovedPermanently
        | operations.ValidationFailed
        | operations.NotFound
    ):
        if repo == "moved":
            return MOVED
        if not 1 <= per_page <= 100:
            return INVALID
        repository = self._find(owner, repo)
        if repository is None:
            return NOT_FOUND
        wanted = set(labels.split(",")) if labels else set()
        found = [
            issue
            for issue in repository.issues.values()
            if state == models.IssuesListForRepoState.ALL or issue.state == state
            if since is None or issue.created_at >= since
            if wanted <= {label for label in issue.labels if isinstance(label, str)}
        ]
        if sort == models.IssuesListForRepoSort.COMMENTS:
            found.sort(key=lambda one: len(repository.comments.get(one.number, ())))
        if direction == models.Direction.DESC:
            found.reverse()
        chosen = found[(page - 1) * per_page :][:per_page]
        more = len(found) > page * per_page
        return operations.IssuesListForRepo200(
            body=chosen, link=f'<?page={page + 1}>; rel="next"' if more else None
        )

    async def issues_create(
        self, *, body: models.IssuesCreateRequest, owner: str, repo: str
    ) -> (
        operations.IssuesCreate201
        | operations.BadRequestApplicationJson
        | operations.BadRequestApplicationScimJson
        | operations.Forbidden
        | operations.ValidationFailed
        | operations.ServiceUnavailable
        | operations.NotFound
        | operations.Gone
    ):
        if body.title == "":
            return operations.BadRequestApplicationJson(body=says("no title"))
        if body.title == 0:
            return operations.BadRequestApplicationScimJson(
                body=models.ScimError(detail=None, status=400)
            )
        if body.assignee == "nobody":
            return INVALID
        if repo == "hidden":
            return FORBIDDEN
        if repo in ("down", "gone"):
            return DOWN if repo == "down" else GONE
        repository = self._find(owner, repo)
        if repository is None:
            return NOT_FOUND
        number = len(repository.issues) + 1
        issue = repository.issues[number] = models.Issue(
            id=1000 + number,
            url=f"https://api/{number}",
            number=number,
            state="open",
            title=f"{type(body.title).__name__} {body.title}",
            body=body.body,
            user=None,
            labels=labels_of(body),
            assignee=ANN if body.assignee is not MISSING and body.assignee else None,
            locked=False,
            closed_at=None,
            created_at=CREATED + timedelta(days=number),
            performed_via_github_app=MISSING if body.assignee is MISSING else APP,
            issue_field_values=values_of(body),
        )
        return operations.IssuesCreate201(body=issue, location=issue.url)

    async def issues_get(
        self, *, owner: str, repo: str, issue_number: int
    ) -> (
        operations.IssuesGet200
        | operations.MovedPermanently
        | operations.NotFound
        | operations.Gone
        | operations.NotModified
    ):
        if repo in ("moved", "unchanged"):
            return MOVED if repo == "moved" else operations.NotModified()
        found = (self._find(owner, repo) or Repository()).find(issue_number)
        return operations.IssuesGet200(body=found) if isinstance(found, models.Issue) else found

    async def issues_update(
        self, *, body: models.IssuesUpdateRequest | None, owner: str, repo: str, issue_number: int
    ) -> (
        operations.IssuesUpdate200
        | operations.ValidationFailed
        | operations.ServiceUnavailable
        | operations.Forbidden
        | operations.MovedPermanently
        | operations.NotFound
        | operations.Gone
    ):
        if repo == "hidden":
            return FORBIDDEN
        if repo in ("down", "moved"):
            return DOWN if repo == "down" else MOVED
        issue = (self._find(owner, repo) or Repository()).find(issue_number)
        if not isinstance(issue, models.Issue):
            return issue
        if body is not None:
            if body.title is None:
                return INVALID
            issue.title = issue.title if body.title is MISSING else str(body.title)
            if body.state is not MISSING:
                issue.state = body.state
                issue.closed_at = CREATED if body.state == models.State.CLOSED else None
            if body.state_reason is not MISSING:
                reason = body.state_reason
                issue.state_reason = None if reason is None else models.StateReason(reason)
            issue.body = issue.body if body.body is MISSING else body.body
        suggestions = {"suggestions": {"type": [{"any": ["thing", None]}, {}]}}
        changed = models.IssuesUpdate200Body.model_validate(issue.model_dump() | suggestions)
        return operations.IssuesUpdate200(body=changed)

    async def issues_list_comments(
        self,
        *,
        owner: str,
        repo: str,
        issue_number: int,
        since: models.Since | None,
        per_page: int,
        page: int,
    ) -> operations.IssuesListComments200 | operations.NotFound | operations.Gone:
        repository = self._find(owner, repo) or Repository()
        issue = repository.find(issue_number)
        if not isinstance(issue, models.Issue):
            return issue
        comments = repository.comments.get(issue_number, [])
        found = [one for one in comments if since is None or one.created_at >= since]
        return operations.IssuesListComments200(body=found[(page - 1) * per_page :][:per_page])

    async def issues_create_comment(
        self, *, body: models.IssuesCreateCommentRequest, owner: str, repo: str, issue_number: int
    ) -> (
        operations.IssuesCreateComment201
        | operations.Forbidden
        | operations.Gone
        | operations.ValidationFailed
        | operations.NotFound
    ):
        repository = self._find(owner, repo)
        if repository is None:
            return FORBIDDEN if repo == "hidden" else NOT_FOUND
        issue = repository.find(issue_number)
        if not isinstance(issue, models.Issue):
            return issue
        if not body.body:
            return INVALID
        comment = models.IssueComment(
            id=1,
            url="https://api/comments/1",
            body=body.body,
            user=ANN,
            created_at=CREATED,
            reactions=models.ReactionRollup(total_count=3, field_1=1, field_1_1=2),
        )
        repository.comments.setdefault(issue_number, []).append(comment)
        return operations.IssuesCreateComment201(body=comment, location=comment.url)

    async def issues_lock(
        self, *, body: models.IssuesLockRequest | None, owner: str, repo: str, issue_number: int
    ) -> (
        operations.Forbidden
        | operations.Gone
        | operations.NotFound
        | operations.ValidationFailed
        | None
    ):
        if repo == "hidden":
            return FORBIDDEN
        issue = (self._find(owner, repo) or Repository()).find(issue_number)
        if not isinstance(issue, models.Issue):
            return issue
        reason = None if body is None or body.lock_reason is MISSING else body.lock_reason
        if issue.locked and reason == models.LockReason.SPAM:
            return INVALID
        issue.locked = True
        return None
