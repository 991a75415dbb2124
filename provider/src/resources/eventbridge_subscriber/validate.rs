//! What AWS would refuse whatever it holds: said before anything is made. What is not known yet is judged when it is.

use tfplugin::{Config, Diagnostics, Value};

use super::log_group::CALL;
use super::{Subscriber, messages, role_messages, role_policy};
use crate::aws::arn;

/// All of it.
pub(super) fn refuse(config: &Config<'_, Subscriber>, diags: &mut Diagnostics) {
    refuse_group(config, diags);
    refuse_role(config, diags);
    let target = written_target(config);
    let is_group = config.value(Subscriber::log_group()).is_known();
    let target = target.or_else(|| is_group.then(|| CALL.to_owned()));
    let kind = config.value(Subscriber::transformer().r#type());
    if let Some(target) = target.as_deref().and_then(arn::parse) {
        let is_call = target.resource.starts_with("aws-sdk:");
        match config.value(Subscriber::input()) {
            Value::Null if is_call && !is_group => diags.push(messages::no_input()),
            Value::Known(_) if !is_call => diags.push(messages::input_without_call()),
            _ => {}
        }
        let is_classic = target.resource.starts_with("event-bus/");
        let is_changed = matches!(&kind, Value::Known(kind) if kind != "RAW");
        if is_changed && (is_call || is_classic) {
            diags.push(messages::only_raw(is_call));
        }
    }
    refuse_point(config, diags);
    let Value::Known(kind) = kind else { return };
    match config.value(Subscriber::transformer().expression()) {
        Value::Null if kind == "JSONATA" => diags.push(messages::no_expression()),
        Value::Known(_) if kind != "JSONATA" => diags.push(messages::expression_without_jsonata(&kind)),
        _ => {}
    }
}

/// The target's ARN. That of a log group is refused by its own check, which says all that there is to say.
fn written_target(config: &Config<'_, Subscriber>) -> Option<String> {
    let target = config.value(Subscriber::target_arn()).known();
    target.filter(|target| arn::parse(target).is_none_or(|arn| arn.service != "logs"))
}

/// One role; one that is made here for a target whose call is known.
fn refuse_role(config: &Config<'_, Subscriber>, diags: &mut Diagnostics) {
    let arn = config.value(Subscriber::role_arn());
    let role = config.value(Subscriber::role());
    if arn.is_null() && role.is_null() {
        diags.push(role_messages::no_role());
    }
    if !role.is_known() {
        return;
    }
    // A generated configuration has both.
    if matches!(&arn, Value::Known(arn) if !role_policy::is_in_path(arn)) {
        diags.push(role_messages::two_roles());
    }
    if config.value(Subscriber::role().create()) == Value::Known(false) {
        diags.push(role_messages::not_made());
    }
    let target = written_target(config);
    let target = target.filter(|_| config.value(Subscriber::log_group()).is_null());
    if let Some(target) = target.filter(|target| role_policy::actions(target).is_empty()) {
        diags.push(role_messages::no_actions(&target).at(Subscriber::role()));
    }
}

/// Where it begins: a point in time is said in full, or not at all.
fn refuse_point(config: &Config<'_, Subscriber>, diags: &mut Diagnostics) {
    let point = config.value(Subscriber::point_in_time());
    let position = config.value(Subscriber::starting_position());
    let is_point = matches!(&position, Value::Known(position) if position == "POINT_IN_TIME");
    if is_point && point.is_null() {
        diags.push(messages::no_point());
    }
    if !is_point && point.is_known() && !matches!(position, Value::Unknown) {
        diags.push(messages::point_without_position());
    }
    let Value::Known(kind) = config.value(Subscriber::point_in_time().r#type()) else {
        return;
    };
    match config.value(Subscriber::point_in_time().starting_point()) {
        Value::Null if kind == "TIMESTAMP" => diags.push(messages::no_starting_point()),
        Value::Known(_) if kind == "HORIZON" => diags.push(messages::starting_point_of_horizon()),
        _ => {}
    }
}

/// One target, and settings of a log group for one that is made here.
fn refuse_group(config: &Config<'_, Subscriber>, diags: &mut Diagnostics) {
    let target = config.value(Subscriber::target_arn());
    let group = config.value(Subscriber::log_group());
    if target.is_null() && group.is_null() {
        diags.push(messages::no_target());
    }
    if !group.is_known() {
        return;
    }
    // A generated configuration has both.
    if matches!(&target, Value::Known(target) if target != CALL) {
        diags.push(messages::two_targets());
    }
    if !config.value(Subscriber::input()).is_null() {
        diags.push(messages::input_of_group());
    }
    if matches!(
        config.value(Subscriber::log_group().create()),
        Value::Known(true) | Value::Unknown
    ) {
        return;
    }
    let of_group = Subscriber::log_group();
    if config.value(of_group.retention_in_days()).is_known() {
        diags.push(messages::only_with_create("retention_in_days").at(of_group.retention_in_days()));
    }
    if config.value(of_group.delete_on_destroy()) == Value::Known(true) {
        diags.push(messages::only_with_create("delete_on_destroy").at(of_group.delete_on_destroy()));
    }
}
