//! The bus's dead-letter queue, looked at.

use tfplugin::{Operation, Plan};

use super::Bus;
use crate::aws::arn;
use crate::aws::reach::{self, Route};
use crate::defaults;
use crate::resources::routes::{self, Purpose, Use};

/// Warns with the plan.
pub(super) async fn warn(plan: &mut Plan<'_, Bus>) {
    let queue = plan.planned(Bus::dead_letter_config().arn()).known();
    let Some(to) = queue.filter(|arn| reach::is_asked(arn)) else {
        return;
    };
    let Some(aws) = defaults::look(plan, &Bus::region()).await else {
        return;
    };
    let account = arn::account(&to).unwrap_or_default();
    let bus = plan.planned(Bus::event_source_name()).known();
    let from = bus
        .map(|bus| arn::of_bus(&aws.name, account, &bus))
        .unwrap_or_default();
    let route = Route { to, from };
    if let Some(finding) = reach::finding(&aws, &route).await {
        let held = plan.prior().and_then(|prior| prior.dead_letter_config.as_ref());
        let is_known = held.is_some_and(|held| held.arn == route.to);
        let name = plan.planned(Bus::event_source_name()).known().unwrap_or_default();
        let whose = whose(&name);
        let attribute = Bus::dead_letter_config().arn().into();
        routes::warn(plan, &finding, (&route, attribute), &used(&whose), is_known);
    }
}

/// Warns of a bus that has just been written.
pub(super) async fn check(operation: &Operation<'_, Bus>, bus: &Bus) {
    if let Some(queue) = bus
        .dead_letter_config
        .as_ref()
        .filter(|queue| reach::is_asked(&queue.arn))
    {
        let route = Route {
            to: queue.arn.clone(),
            from: bus.arn.clone().unwrap_or_default(),
        };
        let attribute = Bus::dead_letter_config().arn().into();
        routes::check(
            operation,
            bus.region.as_deref(),
            &route,
            &used(&whose(&bus.event_source_name)),
            attribute,
        )
        .await;
    }
}

fn whose(name: &str) -> String {
    if name.is_empty() {
        return "an event bus whose name is not known yet".to_owned();
    }
    format!("the event bus `{name}`")
}

fn used(whose: &str) -> Use<'_> {
    Use {
        whose,
        purpose: Purpose::DeadLetters,
    }
}
