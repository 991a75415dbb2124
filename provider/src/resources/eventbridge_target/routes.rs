//! Where a target's events go, looked at: AWS takes a target whose queue is not there or lets nobody in, and drops its
//! events without an error.

use tfplugin::{Operation, Path, Plan};

use super::Target;
use crate::aws::arn;
use crate::aws::reach::{self, Finding, Route};
use crate::defaults;
use crate::resources::routes::{self, Purpose};

/// The attribute and the ARN of what can be asked, and what it is for.
type Place = (Purpose, Path, String);

/// Warns with the plan.
pub(super) async fn warn(plan: &mut Plan<'_, Target>) {
    let destination = plan.planned(Target::arn()).known();
    let queue = plan.planned(Target::dead_letter_config().arn()).known();
    let places = places(destination, queue);
    if places.is_empty() {
        return;
    }
    let Some(aws) = defaults::look(plan, &Target::region()).await else {
        return;
    };
    let rule = plan.planned(Target::rule()).known();
    let rule = plan.planned(Target::event_bus_name()).known().zip(rule);
    for (purpose, attribute, to) in places {
        let account = arn::account(&to).unwrap_or_default();
        let from = rule
            .as_ref()
            .map(|(bus, rule)| arn::of_rule(&aws.name, account, bus, rule));
        let route = Route {
            to,
            from: from.unwrap_or_default(),
        };
        if let Some(finding) = reach::finding(&aws, &route).await
            && !(finding == Finding::NotAllowed && admits(plan, &route.to))
        {
            plan.warn(routes::warning(&finding, &route, purpose).at(attribute));
        }
    }
}

/// Whether the same plan lets rules in.
fn admits(plan: &Plan<'_, Target>, to: &str) -> bool {
    plan.client().is_some_and(|client| client.walk().admits(to))
}

/// Warns of a target that has just been written.
pub(super) async fn check(operation: &Operation<'_, Target>, target: &Target, rule_arn: &str) {
    let queue = target.dead_letter_config.as_ref().map(|queue| queue.arn.clone());
    for (purpose, attribute, to) in places(target.arn.clone(), queue) {
        let from = rule_arn.to_owned();
        routes::check(
            operation,
            target.region.as_deref(),
            &Route { to, from },
            purpose,
            attribute,
        )
        .await;
    }
}

fn places(destination: Option<String>, queue: Option<String>) -> Vec<Place> {
    let destination = destination.map(|arn| (Purpose::Destination, Target::arn().into(), arn));
    let queue = queue.map(|arn| {
        (
            Purpose::DeadLetters,
            Target::dead_letter_config().arn().into(),
            arn,
        )
    });
    let known = destination.into_iter().chain(queue);
    known.filter(|(_, _, arn)| reach::is_asked(arn)).collect()
}
