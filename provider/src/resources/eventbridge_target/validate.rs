//! What cannot work, refused before anything is made. What is not known yet may turn out to be null: it is judged when the
//! plan or the apply knows it.

use tfplugin::rules::{Rule, at_most_one_of, exactly_one_of, is, requires};
use tfplugin::{Config, Diagnostics, Value};

use super::{Target, input, messages};
use crate::aws::arn;

/// Rules over several attributes.
pub(super) fn rules() -> Vec<Rule<Target>> {
    let destination = exactly_one_of((Target::arn(), Target::log_group()));
    let input = at_most_one_of((Target::input(), Target::input_path(), Target::input_transformer()));
    let of_group = Target::log_group();
    let retention = requires(of_group.retention_in_days(), is(of_group.create(), true));
    let key = requires(of_group.kms_key_id(), is(of_group.create(), true));
    let delete = requires(
        is(of_group.delete_on_destroy(), true),
        is(of_group.create(), true),
    );
    vec![
        destination
            .message(messages::one_destination)
            .unless(is_one_group),
        input.message(messages::more_than_one_input),
        retention.message(messages::retention_without_create),
        key.message(messages::key_without_create),
        delete.message(messages::delete_without_create),
    ]
}

/// A generated configuration has ARN and log group, and they agree.
fn is_one_group(config: &Config<'_, Target>) -> bool {
    let arn = config.value(Target::arn()).known().unwrap_or_default();
    match config.value(Target::log_group().name()) {
        Value::Known(name) => arn::log_group_name(&arn) == Some(&name),
        Value::Unknown => true,
        Value::Null => false,
    }
}

/// What takes more than a rule to judge.
pub(super) fn refuse(config: &Config<'_, Target>, diags: &mut Diagnostics) {
    input::refuse(config, diags);
    let group = config.value(Target::log_group());
    let arn = config.value(Target::arn()).known();
    if group.is_known() || arn.is_some_and(|arn| arn::log_group_name(&arn).is_some()) {
        refuse_for_group(config, diags);
    }
}

fn refuse_for_group(config: &Config<'_, Target>, diags: &mut Diagnostics) {
    if config.value(Target::role_arn()).is_known() {
        diags.push(messages::no_role_for_a_group());
    }
    let name = config
        .value(Target::log_group().name())
        .known()
        .unwrap_or_default();
    if name.contains('#') && config.value(Target::log_group().create()) == Value::Known(true) {
        diags.push(messages::no_tags(&name));
    }
    if let Value::Known(template) = config.value(Target::input_transformer().input_template())
        && !input::gives_log_event(&template)
    {
        diags.push(messages::no_log_event());
    }
}
