//! The registry's page about the fields; `UPDATE_EXPECT=1` regenerates it.

use super::fields::{AUDIT_LOG, ENVELOPE, RUN_EXECUTED};
use super::{DETAIL_TYPE, Field, filters};
use crate::EventType;

const HEAD: &str = "---
page_title: \"Fields of the events\"
subcategory: \"\"
description: |-
  Every field of RunExecuted and AuditLog events, and the filter of each.
---

# Fields of the events

Use the names in the column *filter* with `provider::scalr::event_pattern(type, filters)` and `scalr-eventbridge pattern build`, and as fields of
`provider::scalr::sample_event(type, fields)` and `scalr-eventbridge emit`. In a pattern that you write as JSON, use the path. The filter `any_of`
has alternatives: a list of objects with filters, of which one must pass.

`provider::scalr::sample_event(type)` gives a whole event, in the envelope that EventBridge delivers: `version` is `\"0\"`, `id` a UUID that
EventBridge makes, `account` the 12 digits of the AWS account as a string. The samples of Scalr's own documentation have other values there
(the run's id, `test`, 1), which never arrive.

EventBridge delivers at least once: recognise a repeated event by `detail.event.run-id` or `detail.request.id`.
";

const TAIL: &str = "
## Ids of workspaces and environments

A RunExecuted event has these ids only in its tags. `workspace_id` and `environment_id` become the tags `scalr-workspace:ID` and
`scalr-environment:ID`. EventBridge matches a list if any element matches. So these two filters accept strings, `prefix`, `wildcard` and
`equals-ignore-case`, but not `anything-but`. To leave a workspace out, use its name: `workspace = { anything-but = \"sandbox\" }`. A pattern
can have only one of the filters `workspace_id`, `environment_id` and `tags`; if either of two may match, use `any_of`.

An id or name that nothing has matches no event. The plan of a rule with a new pattern looks up the ids in it if Scalr can be asked. It warns
of one that Scalr does not have, with the nearest. This is no error, because a pattern may be for several Scalr accounts. Names are not
looked up.

## Values

`result` of a RunExecuted event, `detail-type` and `version` have only the values above. Any other value is an error that names the nearest valid
one. An id that does not begin as above is an error, too.

EventBridge compares a `*` in an exact value as a character. So a `*` is an error in an id, a time, a region, an address or a word such as
`action`. If it stands for any text, write `{ wildcard = \"create-*\" }`. In a name a `*` is permitted, and the plan of the rule warns of it.
";

fn table<'f>(title: &str, fields: impl Iterator<Item = &'f Field>) -> String {
    let head = format!("\n## {title}\n\n| filter | path | type | meaning |\n|---|---|---|---|\n");
    let row = |f: &Field| {
        let filter = if f.filter == DETAIL_TYPE {
            "the argument `type`".to_owned()
        } else {
            format!("`{}`", f.filter)
        };
        format!("| {filter} | `{}` | {} | {} |\n", f.path, f.kind.as_str(), f.doc)
    };
    fields.fold(head, |text, field| text + &row(field))
}

#[test]
fn the_guide_has_every_filter() {
    let of_tags = |event_type| filters(event_type).filter(|field| field.tag.is_some());
    let text = HEAD.to_owned()
        + &table("In both", ENVELOPE.iter())
        + &table(
            "RunExecuted",
            RUN_EXECUTED.iter().chain(of_tags(EventType::RunExecuted)),
        )
        + &table("AuditLog", AUDIT_LOG.iter().chain(of_tags(EventType::AuditLog)))
        + TAIL;
    expect_test::expect_file!["../../../../docs/guides/events.md"].assert_eq(&text);
}
