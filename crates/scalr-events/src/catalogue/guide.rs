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

The filters are what `provider::scalr::event_pattern(type, filters)` and `scalr-eventbridge pattern build` take, and the fields that
`provider::scalr::sample_event(type, fields)` and `scalr-eventbridge emit` set. A pattern of your own names the path. The filter `any_of`
holds alternatives: a list of objects with filters, of which one must pass.

`provider::scalr::sample_event(type)` gives a whole event, in the envelope that EventBridge delivers: `version` is `\"0\"`, `id` a UUID that
EventBridge makes, `account` the 12 digits of the AWS account as a string. The samples of Scalr's own documentation have other values there
(the run's id, `test`, 1), which never arrive.

EventBridge delivers at least once: recognise a repeated event by `detail.event.run-id` or `detail.request.id`.
";

const TAIL: &str = "
## Ids of workspaces and environments

A RunExecuted event has these ids among its tags only. `workspace_id` and `environment_id` become the tags `scalr-workspace:ID` and
`scalr-environment:ID`. EventBridge matches a list when any element passes, so these two filters take texts, `prefix`, `wildcard` and
`equals-ignore-case`, and not `anything-but`; to leave a workspace out, use its name: `workspace = { anything-but = \"sandbox\" }`. A pattern
can ask for one of the filters `workspace_id`, `environment_id` and `tags` at a time; where either of two may match, use `any_of`.

An id or name that nothing has matches no event. The plan of a rule with a new pattern looks up its ids, where Scalr can be asked: the plan
warns of one that Scalr does not have, with the nearest. It is no error, as a pattern may be for several Scalr accounts. Names are not looked
up.

## Values

`result` of a RunExecuted event, `detail-type` and `version` have the values above and no others: another one is refused, and the nearest
right one named. So is an id that does not begin as above, and a `*` in an exact value of an id, a time, a region, an address or a word
such as `action`, which EventBridge compares as it is written: for any text in its place use `{ wildcard = \"create-*\" }`. In a name, a `*` is
taken, and the plan of the rule warns of it.
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
