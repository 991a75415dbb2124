//! What a plan says of an event source: that events would be lost, that AWS would refuse it, or that another resource has it.

use tfplugin::{Plan, PlanAction};

use super::partner::InTheWay;
use super::{EventSource, messages, partner};
use crate::aws::arn;
use crate::aws::look::{Look, Service};
use crate::defaults;
use crate::ownership::Object;
use crate::resources::{custom_look, eventbridge_rule, handover};
use crate::values::Region;

/// All of it.
pub(super) async fn decide(plan: &mut Plan<'_, EventSource>) {
    if plan.action() == PlanAction::Delete {
        note_removal(plan);
        return warn_of_loss(plan);
    }
    region(plan);
    defaults::plan_tags(plan, &EventSource::tags(), &EventSource::tags_all(), |source| {
        source.tags.as_ref()
    });
    warn_of_loss(plan);
    judge_regions(plan);
    warn_of_pattern(plan);
    plan_states(plan);
    note_association(plan);
    look(plan).await;
    let object = planned(plan);
    handover::plan(plan, object, "another `name`", EventSource::name());
}

/// A Classic bus may be planned to get the events.
fn note_removal(plan: &Plan<'_, EventSource>) {
    if let Some((client, source)) = plan.client().zip(plan.prior()) {
        client.walk().removal(source.object());
    }
}

/// It is that of the bus.
fn region(plan: &mut Plan<'_, EventSource>) {
    let bus = plan.planned(EventSource::event_bus_arn()).known();
    let is_new = plan.prior().is_none() || plan.replaces();
    if let Some(arn) = bus.as_deref().and_then(arn::parse).filter(|_| is_new) {
        plan.set(EventSource::region(), Region::from(arn.region));
    }
}

/// The event source that is there, or is to be made.
fn planned(plan: &Plan<'_, EventSource>) -> Option<Object> {
    if let Some(prior) = plan.prior() {
        return Some(prior.object());
    }
    Some(Object::EventSource {
        region: plan.planned(EventSource::region()).known()?.to_string(),
        name: plan.planned(EventSource::name()).known()?,
    })
}

/// Events are dropped from the deletion on.
fn warn_of_loss(plan: &mut Plan<'_, EventSource>) {
    let replaces = match plan.action() {
        PlanAction::Delete => false,
        PlanAction::Update if plan.replaces() => true,
        _ => return,
    };
    let warning = plan.prior().map(|prior| messages::loss(prior, replaces));
    if let Some(warning) = warning {
        plan.warn(warning);
    }
}

/// A partner's events reach a custom bus of their own region only.
fn judge_regions(plan: &mut Plan<'_, EventSource>) {
    let bus = plan.planned(EventSource::event_bus_arn()).known();
    let partner = plan.planned(EventSource::partner_event_source_arn()).known();
    let Some((bus, partner)) = bus.zip(partner) else {
        return;
    };
    let regions = arn::parse(&bus).zip(arn::parse(&partner));
    if let Some((bus, partner)) = regions.filter(|(bus, partner)| bus.region != partner.region) {
        let error = messages::another_region(bus.region, partner.region);
        plan.error(error.at(EventSource::event_bus_arn()));
    }
}

/// One that none of Scalr's events matches lets nothing reach the bus.
fn warn_of_pattern(plan: &mut Plan<'_, EventSource>) {
    let Some(pattern) = plan.planned(EventSource::event_pattern()).known() else {
        return;
    };
    let name = plan.planned(EventSource::name()).known();
    let whose = name.map_or_else(
        || "the event source".to_owned(),
        |name| format!("the event source `{name}`"),
    );
    let partner = plan.planned(EventSource::partner_event_source_arn()).known();
    let partner = partner.as_deref().and_then(arn::event_source_name);
    for warning in eventbridge_rule::of_scalrs_events(&whose, &pattern, partner) {
        plan.warn(warning.at(EventSource::event_pattern()));
    }
}

/// A change of the settings may lead to other states, and one that is to be repaired does.
fn plan_states(plan: &mut Plan<'_, EventSource>) {
    let Some(prior) = plan.prior().filter(|_| !plan.replaces()).cloned() else {
        return;
    };
    let keeps = plan.planned(EventSource::event_pattern()) == prior.event_pattern.clone().into()
        && plan.planned(EventSource::kms_key_identifier()) == prior.kms_key_identifier.clone().into()
        && plan.planned(EventSource::dead_letter_arn()) == prior.dead_letter_arn.clone().into()
        && plan.planned(EventSource::description()) == prior.description.clone().into();
    if !keeps || prior.is_to_be_repaired() {
        plan.set_unknown(EventSource::state());
        plan.set_unknown(EventSource::partner_source_state());
    }
    if prior.is_revoked() {
        plan.warn(messages::revoked(&prior.name));
    }
    if let Some(state @ ("DELETED" | "MISSING")) = prior.partner_source_state.as_deref() {
        plan.warn(messages::partner_gone(prior.partner_source(), state));
    }
}

/// The activation, which is planned later, reads the status that comes of it.
fn note_association(plan: &Plan<'_, EventSource>) {
    let keeps = |prior: &EventSource| !prior.is_to_be_repaired() && !plan.replaces();
    let partner = plan.planned(EventSource::partner_event_source_arn()).known();
    let Some(source) = partner.as_deref().and_then(arn::event_source_name) else {
        return;
    };
    if let Some(client) = plan.client().filter(|_| !plan.prior().is_some_and(keeps)) {
        client.walk().association(source);
    }
}

/// Looks at the account where an event source is to be made: whether its name is free, and whether the partner's source is.
async fn look(plan: &mut Plan<'_, EventSource>) {
    // The ARN of a bus that is made in the same apply is not known yet; the partner's source is in its region.
    let partner = plan.planned(EventSource::partner_event_source_arn()).known();
    let of_partner = partner
        .as_deref()
        .and_then(arn::parse)
        .map(|arn| Region::from(arn.region));
    let Some(region) = plan.planned(EventSource::region()).known().or(of_partner) else {
        return;
    };
    let aws = defaults::look_in(plan, &region).await;
    let Some(aws) = custom_look::to_make(plan, aws, EventSource::name()) else {
        return;
    };
    if plan.prior().is_some() {
        return;
    }
    name_is_free(plan, &aws).await;
    partner_is_free(plan, &aws).await;
}

fn named(aws: &Look, name: &str) -> Object {
    Object::EventSource {
        region: aws.name.clone(),
        name: name.to_owned(),
    }
}

async fn name_is_free(plan: &mut Plan<'_, EventSource>, aws: &Look) {
    let Some(name) = plan.planned(EventSource::name()).known() else {
        return;
    };
    if !aws.asks(Service::CustomBuses) || custom_look::is_of_state(plan, &named(aws, &name)) {
        return;
    }
    let found = aws.heard(Service::CustomBuses, aws.event_source_named(&name).await);
    if let Some(arn) = found.flatten() {
        plan.warn(messages::will_be_refused(&name, &aws.name, &arn));
    }
}

/// A Classic bus of the partner's source stands in the way, unless this plan removes it; so does another event source.
async fn partner_is_free(plan: &mut Plan<'_, EventSource>, aws: &Look) {
    let partner = plan.planned(EventSource::partner_event_source_arn()).known();
    let Some(source) = partner.as_deref().and_then(arn::event_source_name) else {
        return;
    };
    if !aws.asks(Service::Events) {
        return;
    }
    let found = aws.heard(Service::Events, partner::in_the_way(aws, source).await);
    let bus = Object::Bus {
        region: aws.name.clone(),
        name: source.to_owned(),
    };
    let warning = match found {
        Some(InTheWay::Classic) => {
            let stays = match plan.client() {
                Some(client) => !client
                    .walk()
                    .staying(vec![bus], plan.cancelled())
                    .await
                    .is_empty(),
                None => true,
            };
            messages::classic_bus(source, &aws.name, stays)
        }
        // It is what this plan replaces.
        Some(InTheWay::Other(Some(name)))
            if plan.planned(EventSource::name()).known().as_ref() == Some(&name)
                && custom_look::is_of_state(plan, &named(aws, &name)) =>
        {
            return;
        }
        Some(InTheWay::Other(name)) => messages::another_source(source, name.as_deref()),
        Some(InTheWay::Nothing) | None => return,
    };
    plan.warn(warning.at(EventSource::partner_event_source_arn()));
}
