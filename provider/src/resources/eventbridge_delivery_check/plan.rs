//! What a plan finds of the log group in which the event is to be looked for.

use tfplugin::Plan;

use super::DeliveryCheck;
use crate::aws::look::Service;
use crate::defaults;
use crate::ownership::Object;
use crate::resources::{chain, names};

/// Warns of a log group that does not exist, or in which the event cannot be looked for. A check that ended is not made again.
pub(super) async fn warn_of_group(plan: &mut Plan<'_, DeliveryCheck>) {
    let name = plan.planned(DeliveryCheck::log_group()).known();
    let Some(name) = name.filter(|_| names::is_made(plan) && !plan.is_within_apply()) else {
        return;
    };
    let Some(look) = defaults::look(plan, &DeliveryCheck::region()).await else {
        return;
    };
    if !look.asks(Service::Logs) {
        return;
    }
    let Some(held) = look.heard(Service::Logs, look.log_group(&name).await) else {
        return;
    };
    match held {
        Some(group) if chain::is_infrequent(&group) => {
            plan.warn(chain::no_search(&name).at(DeliveryCheck::log_group()));
        }
        Some(_) => {}
        None => {
            let region = look.name.clone();
            let group = Object::LogGroup { region, name };
            if let Some(missing) = names::unplanned(plan, &look, group).await {
                plan.warn(missing.warning(&whose(plan)).at(DeliveryCheck::log_group()));
            }
        }
    }
}

fn whose(plan: &Plan<'_, DeliveryCheck>) -> String {
    match plan.planned(DeliveryCheck::workspace_id()).known() {
        Some(workspace) => format!("the delivery check with workspace `{workspace}`"),
        None => "the delivery check".to_owned(),
    }
}
