//! What cannot work, refused before anything is made.

use tfplugin::{Config, Diagnostics, Value};

use super::{LogGroup, input, messages};
use crate::aws::arn;

/// Refuses combinations that no single attribute's check can judge. What is not known yet may turn out to be null: it is
/// waited for, and judged when the plan or the apply knows it.
pub(super) fn refuse(config: &Config<'_>, diags: &mut Diagnostics) {
    let (arn, group) = (
        config.value::<String>("arn"),
        config.value::<LogGroup>("log_group"),
    );
    if arn.is_null() && group.is_null() {
        diags.push(messages::no_destination());
    } else if let (Value::Known(arn), Value::Known(_)) = (&arn, &group) {
        // A generated configuration has both, and they agree.
        let name = config.value::<String>("log_group.name").known();
        if name.is_some() && arn::log_group_name(arn) != name.as_deref() {
            diags.push(messages::two_destinations());
        }
    }
    input::refuse(config, diags);
    let to_group = group.is_known() || arn.known().is_some_and(|arn| arn::log_group_name(&arn).is_some());
    if to_group {
        refuse_for_group(config, diags);
    }
    if group.is_known() {
        refuse_unowned(config, diags);
    }
}

fn refuse_for_group(config: &Config<'_>, diags: &mut Diagnostics) {
    if config.value::<String>("role_arn").is_known() {
        diags.push(messages::no_role_for_a_group());
    }
    if let Value::Known(template) = config.value::<String>("input_transformer.input_template")
        && !input::gives_log_event(&template)
    {
        diags.push(messages::no_log_event());
    }
}

fn refuse_unowned(config: &Config<'_>, diags: &mut Diagnostics) {
    let create = config.value::<bool>("log_group.create");
    if create.is_unknown() || create.known() == Some(true) {
        return;
    }
    if config.value::<i64>("log_group.retention_in_days").is_known() {
        diags.push(messages::only_with_create(
            "retention_in_days",
            "log_group.retention_in_days",
        ));
    }
    if config.value::<bool>("log_group.delete_on_destroy").known() == Some(true) {
        diags.push(messages::only_with_create(
            "delete_on_destroy",
            "log_group.delete_on_destroy",
        ));
    }
}
