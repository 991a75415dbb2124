//! Where a target's events go, looked at: AWS takes a target whose queue is not there or lets nobody in, and drops its
//! events without an error.

use tfplugin::{Operation, Path, Plan, Resource};

use super::{Target, messages};
use crate::aws::arn;
use crate::aws::reach::{self, Finding, Route};
use crate::client::Client;
use crate::defaults;
use crate::resources::routes::{self, Purpose, Use};

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
        let Some(finding) = reach::finding(&aws, &route).await else {
            continue;
        };
        if finding == Finding::NotAllowed && admits(plan, &route) || is_said(plan, &finding, &route.to) {
            continue;
        }
        let is_known = plan.prior().is_some_and(|prior| prior.leads_to(&route.to));
        let whose = messages::whose(plan);
        let used = Use {
            whose: &whose,
            purpose,
        };
        routes::warn(plan, &finding, (&route, attribute), &used, is_known);
    }
}

/// Whether the topic's permission has said that the topic is missing.
fn is_said(plan: &Plan<'_, Target>, finding: &Finding, to: &str) -> bool {
    let walk = plan.client().map(Client::walk);
    *finding == Finding::Missing && walk.is_some_and(|walk| !walk.says_missing(to, Target::NAME))
}

impl Target {
    fn leads_to(&self, arn: &str) -> bool {
        let queue = self.dead_letter_config.as_ref().map(|queue| &*queue.arn);
        [self.arn.as_deref(), queue].contains(&Some(arn))
    }
}

/// Whether the same plan lets the rule in.
fn admits(plan: &Plan<'_, Target>, route: &Route) -> bool {
    plan.client()
        .is_some_and(|client| client.walk().admits(&route.to, &route.from))
}

/// Warns of a target that has just been written.
pub(super) async fn check(operation: &Operation<'_, Target>, target: &Target, rule_arn: &str) {
    let queue = target.dead_letter_config.as_ref().map(|queue| queue.arn.clone());
    let whose = messages::whose_written(target);
    for (purpose, attribute, to) in places(target.arn.clone(), queue) {
        let from = rule_arn.to_owned();
        routes::check(
            operation,
            target.region.as_deref(),
            &Route { to, from },
            &Use {
                whose: &whose,
                purpose,
            },
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
