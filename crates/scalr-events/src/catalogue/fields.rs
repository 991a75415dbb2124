//! The tables of fields.

use super::Kind::{self, Bool, Number, String, Strings};
use super::{
    ACTION_TAG, ENVIRONMENT_NAME_TAG, ENVIRONMENT_TAG, Field, Form, TAGS, USER_EMAIL_TAG, WORKSPACE_NAME_TAG,
    WORKSPACE_TAG,
};
use crate::run_executed::RESULTS;

const fn field(path: &'static str, kind: Kind, filter: &'static str, doc: &'static str) -> Field {
    Field {
        path,
        kind,
        filter,
        doc,
        form: Form::Text,
        tag: None,
    }
}

/// What is behind the name of a tag; without a filter where a field has the same value.
const fn tag(tag: &'static str, filter: &'static str, form: Form, doc: &'static str) -> Field {
    Field {
        tag: Some(tag),
        form,
        ..field(TAGS, String, filter, doc)
    }
}

impl Field {
    const fn of(self, form: Form) -> Self {
        Self { form, ..self }
    }

    const fn word(self) -> Self {
        self.of(Form::Word)
    }
}

/// What ids begin with: `ID of the environment, in the format env-<RANDOM STRING>` and the like in the documentation of Scalr's provider;
/// the sample of its page about audit logs has an environment `org-…`.
const ENVIRONMENT_ID: Form = Form::Id(&["env-", "org-"]);
const WORKSPACE_ID: Form = Form::Id(&["ws-"]);
const ACCOUNT_ID: Form = Form::Id(&["acc-"]);
const RUN_ID: Form = Form::Id(&["run-"]);

/// Where an event comes from.
pub(crate) const SOURCE: Field = field(
    "source",
    String,
    "event_source_name",
    "Partner event source, `aws.partner/scalr.com/ACCOUNT/CONNECTION`.",
);

pub(super) const ENVELOPE: &[Field] = &[
    field(
        "id",
        String,
        "envelope_id",
        "UUID that EventBridge gives the event. To recognise a repeated event, use the id inside `detail`.",
    )
    .word(),
    field(
        "account",
        String,
        "aws_account_id",
        "AWS account that receives the event, 12 digits.",
    )
    .word(),
    field(
        "version",
        String,
        "envelope_version",
        "Version of EventBridge's envelope, `0`.",
    )
    .of(Form::OneOf(&["0"])),
    field("time", String, "time", "When the event happened, UTC.").word(),
    SOURCE,
    field("resources", Strings, "resources", "Always empty."),
    field("region", String, "region", "AWS region that receives the event.").word(),
    field(
        "detail-type",
        String,
        "detail_type",
        "`RunExecuted` or `AuditLog`.",
    )
    .of(Form::OneOf(&["RunExecuted", "AuditLog"])),
];

pub(super) const RUN_EXECUTED: &[Field] = &[
    field(
        "detail.title",
        String,
        "title",
        "One sentence about the run.",
    ),
    field(
        "detail.event.run-id",
        String,
        "run_id",
        "Id of the run, `run-…`. Stable: recognise a repeated event by it.",
    ).of(RUN_ID),
    field(
        "detail.event.source",
        String,
        "source",
        "What started the run, such as `vcs`, `cli`, `api` or `ui`.",
    ).word(),
    field("detail.event.is-dry", Bool, "is_dry", "The run only plans."),
    field("detail.event.is-destroy", Bool, "is_destroy", "The run destroys."),
    field(
        "detail.event.is-agent",
        Bool,
        "is_agent",
        "The run was executed by an agent.",
    ),
    field(
        "detail.event.is-postponed",
        Bool,
        "is_postponed",
        "The run was held back before it started.",
    ),
    field(
        "detail.event.result",
        String,
        "result",
        "Last status of the run: `applied`, `planned_and_finished`, `errored`, `canceled`, `discarded` or `policy_soft_failed`.",
    )
    .of(Form::OneOf(RESULTS)),
    field(
        "detail.event.duration",
        Number,
        "duration",
        "How long the run took, in nanoseconds.",
    ),
    field(
        "detail.event.account",
        String,
        "account",
        "Name of the Scalr account.",
    ),
    field(
        "detail.event.workspace",
        String,
        "workspace",
        "Name of the workspace.",
    ),
    field(
        "detail.event.environment",
        String,
        "environment",
        "Name of the environment.",
    ),
    field(
        "detail.event.user-email",
        String,
        "user_email",
        "Who started the run.",
    ),
    field(
        "detail.tags",
        Strings,
        "tags",
        "`scalr-environment:ID`, `scalr-workspace:ID`, `scalr-environment-name:NAME`, `scalr-workspace-name:NAME`.",
    ),
    field("detail.event_type", String, "event_type", "`success` or `error`.").word(),
];

pub(super) const AUDIT_LOG: &[Field] = &[
    field(
        "detail.target.id",
        String,
        "target_id",
        "Id of the object that was changed.",
    )
    .word(),
    field(
        "detail.target.type",
        String,
        "target_type",
        "Type of the object that was changed, such as `workspaces`.",
    )
    .word(),
    field(
        "detail.target.display-name",
        String,
        "target_name",
        "Name of the object that was changed.",
    ),
    field(
        "detail.target.context.environment.id",
        String,
        "environment_id",
        "Id of the environment of the object, `env-…` or `org-…`.",
    )
    .of(ENVIRONMENT_ID),
    field(
        "detail.target.context.environment.display-name",
        String,
        "environment",
        "Name of the environment of the object.",
    ),
    field(
        "detail.target.context.workspace.id",
        String,
        "workspace_id",
        "Id of the workspace of the object, `ws-…`.",
    )
    .of(WORKSPACE_ID),
    field(
        "detail.target.context.workspace.display-name",
        String,
        "workspace",
        "Name of the workspace of the object.",
    ),
    field(
        "detail.target.context.account.id",
        String,
        "account_id",
        "Id of the Scalr account, `acc-…`.",
    )
    .of(ACCOUNT_ID),
    field(
        "detail.target.context.account.display-name",
        String,
        "account",
        "Name of the Scalr account.",
    ),
    field(
        "detail.timestamp",
        String,
        "timestamp",
        "When the call was made, UTC, in microseconds.",
    )
    .word(),
    field(
        "detail.request.id",
        String,
        "request_id",
        "Id of the call. Stable: recognise a repeated event by it.",
    )
    .word(),
    field(
        "detail.request.action",
        String,
        "action",
        "What was done, such as `create-workspace`.",
    )
    .word(),
    field(
        "detail.request.ip-address",
        String,
        "ip_address",
        "Address the call came from.",
    )
    .word(),
    field(
        "detail.request.source",
        String,
        "source",
        "Where the call came from, such as `ui` or `api`.",
    )
    .word(),
    field(
        "detail.request.user-agent",
        String,
        "user_agent",
        "The caller's `User-Agent`.",
    ),
    field("detail.actor.id", String, "user_id", "Id of the caller.").word(),
    field(
        "detail.actor.email",
        String,
        "user_email",
        "Address of the caller.",
    ),
    field(
        "detail.actor.type",
        String,
        "user_type",
        "`user` or `service-account`.",
    )
    .word(),
    field(
        "detail.actor.access-token.id",
        String,
        "token_id",
        "Id of the token that was used; null for a session.",
    )
    .word(),
    field(
        "detail.actor.access-token.type",
        String,
        "token_type",
        "Kind of token that was used, such as `session`.",
    )
    .word(),
    field(
        "detail.actor.access-token.token",
        String,
        "token_end",
        "Last characters of the token that was used.",
    ),
    field(
        "detail.outcome.result",
        String,
        "result",
        "`SUCCESS` or `FAILURE`.",
    )
    .word(),
    field(
        "detail.outcome.status-code",
        Number,
        "status_code",
        "HTTP status of the answer.",
    ),
    field(
        "detail.tags",
        Strings,
        "tags",
        "`scalr-action:ACTION`, `scalr-user-email:ADDRESS` and the ids and names of the environment and workspace.",
    ),
];

const ENVIRONMENT_NAME: Field = tag(ENVIRONMENT_NAME_TAG, "", Form::Text, "Name of the environment.");
const WORKSPACE_NAME: Field = tag(WORKSPACE_NAME_TAG, "", Form::Text, "Name of the workspace.");

pub(super) const RUN_EXECUTED_TAGS: &[Field] = &[
    tag(
        ENVIRONMENT_TAG,
        "environment_id",
        ENVIRONMENT_ID,
        "Id of the environment, `env-…` or `org-…`: the text after `scalr-environment:`.",
    ),
    tag(
        WORKSPACE_TAG,
        "workspace_id",
        WORKSPACE_ID,
        "Id of the workspace, `ws-…`: the text after `scalr-workspace:`.",
    ),
    ENVIRONMENT_NAME,
    WORKSPACE_NAME,
];

pub(super) const AUDIT_LOG_TAGS: &[Field] = &[
    tag(ACTION_TAG, "", Form::Word, "What was done."),
    tag(USER_EMAIL_TAG, "", Form::Text, "Address of the caller."),
    tag(ENVIRONMENT_TAG, "", ENVIRONMENT_ID, "Id of the environment."),
    ENVIRONMENT_NAME,
    tag(WORKSPACE_TAG, "", WORKSPACE_ID, "Id of the workspace."),
    WORKSPACE_NAME,
];
