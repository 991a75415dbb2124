//! From an accepted event to what its targets receive.
//!
//! Log groups, queues and buses are state like any other, so delivery to them happens here, within the same step of
//! the core that accepted the event.

use std::sync::Arc;

use crate::arn::{self, Arn};
use crate::clock::{DAY, Millis};
use crate::ops::Cx;
use crate::policy::{Ask, Policy, Verdict};
use crate::state::RealmId;
use crate::state::log_group::LogGroup;
use crate::state::rule::Target;

pub(crate) mod envelope;
mod input;

use envelope::Envelope;

/// How many buses an event may pass: rules that forward to each other would pass it round for ever.
const HOPS_MAX: usize = 8;

/// The service that delivers, as policies name it.
const PRINCIPAL: &str = "events.amazonaws.com";

/// Why a target did not get an event; the names are those of dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Miss {
    NoPermissions(String),
    NoResource(String),
    /// What the target would be given is not what it takes.
    BadInput(String),
}

/// One target of one matched rule.
struct Invocation<'a> {
    realm: &'a RealmId,
    rule_arn: String,
    target: Arc<Target>,
    envelope: &'a Envelope,
}

/// Brings an event to a bus: every enabled rule that matches gets it to its targets.
pub(crate) fn publish(cx: &mut Cx<'_>, realm: &RealmId, bus: &str, envelope: Envelope) {
    let mut waiting = vec![(realm.clone(), bus.to_owned(), envelope, 0)];
    while let Some((realm, bus, envelope, hops)) = waiting.pop() {
        let Some(found) = cx.world.realm(&realm, cx.now).buses.get_mut(&bus) else {
            continue;
        };
        let compiled = found.compiled();
        for rule in &compiled.rules {
            if !rule.pattern.matches(&envelope.text).unwrap_or(false) {
                continue;
            }
            let rule_arn = arn::rule(realm.region(), realm.account(), &bus, &rule.name);
            for target in &rule.targets {
                let target = Arc::clone(target);
                let invocation = Invocation {
                    realm: &realm,
                    rule_arn: rule_arn.clone(),
                    target,
                    envelope: &envelope,
                };
                match invoke(cx, &invocation) {
                    Ok(Some((to, bus, envelope))) if hops < HOPS_MAX => {
                        waiting.push((to, bus, envelope, hops + 1))
                    }
                    Ok(_) => {}
                    Err(miss) => tracing::debug!(target_arn = invocation.target.arn, ?miss, "not delivered"),
                }
            }
        }
    }
}

/// Delivers to one target; a bus as target is handed back, to be published to next.
fn invoke(cx: &mut Cx<'_>, invocation: &Invocation<'_>) -> Result<Option<(RealmId, String, Envelope)>, Miss> {
    let target = Arc::clone(&invocation.target);
    let Some(arn) = Arn::parse(&target.arn) else {
        return Err(Miss::NoResource("not an ARN".to_owned()));
    };
    let to = RealmId::new(arn.account, arn.region);
    if let Some(name) = arn.log_group() {
        return to_log_group(cx, invocation, &to, name).map(|()| None);
    }
    if let Some(bus) = arn.event_bus() {
        let account = invocation.realm.account().to_owned();
        if account != arn.account && !may_put(cx, &to, bus, &account) {
            return Err(Miss::NoPermissions(
                "the bus's policy does not allow events:PutEvents".to_owned(),
            ));
        }
        let exists = cx.world.realm(&to, cx.now).buses.contains_key(bus);
        let missing = || Miss::NoResource(format!("event bus {bus} does not exist"));
        return exists
            .then(|| Some((to, bus.to_owned(), invocation.envelope.clone())))
            .ok_or_else(missing);
    }
    Err(Miss::NoResource(format!(
        "targets of the service `{}` are not emulated",
        arn.service
    )))
}

fn to_log_group(cx: &mut Cx<'_>, invocation: &Invocation<'_>, to: &RealmId, name: &str) -> Result<(), Miss> {
    let now = cx.now;
    let (at, message) = input::log_event(&invocation.target, invocation.envelope).map_err(Miss::BadInput)?;
    let stream = stream_of(&invocation.rule_arn, &invocation.target.id);
    let realm = cx.world.realm(to, now);
    let group = realm.log_groups.get(name);
    let group = group.ok_or_else(|| Miss::NoResource(format!("log group {name} does not exist")))?;
    let account_wide = realm.log_policies.values().map(|policy| policy.document.as_str());
    if !may_log(group, account_wide, to, &stream, invocation) {
        let why = "no resource policy allows events.amazonaws.com logs:CreateLogStream and logs:PutLogEvents";
        return Err(Miss::NoPermissions(why.to_owned()));
    }
    let Some(group) = realm.log_groups.get_mut(name) else {
        return Ok(());
    };
    group.ensure_stream(&stream, now);
    group.add(&stream, within_logs_window(at, now), now, message);
    group.expire(now);
    Ok(())
}

/// The logs service takes events of the last fourteen days and the next two hours; an older one is logged as of now.
fn within_logs_window(at: Millis, now: Millis) -> Millis {
    if (now - 14 * DAY..=now + DAY / 12).contains(&at) {
        at
    } else {
        now
    }
}

/// One stream for each rule and target, the same every time.
fn stream_of(rule_arn: &str, target: &str) -> String {
    uuid::Uuid::new_v5(
        &uuid::Uuid::NAMESPACE_URL,
        format!("{rule_arn} {target}").as_bytes(),
    )
    .to_string()
}

/// A log target needs both actions; the group's own policy and the account-wide ones count together.
fn may_log<'p>(
    group: &LogGroup,
    account_wide: impl Iterator<Item = &'p str>,
    to: &RealmId,
    stream: &str,
    invocation: &Invocation<'_>,
) -> bool {
    let group_arn = arn::arn(
        "logs",
        to.region(),
        to.account(),
        &format!("log-group:{}", group.name),
    );
    let stream_arn = format!("{group_arn}:log-stream:{stream}");
    let own = group
        .policy
        .as_ref()
        .map(|policy| (policy.document.as_str(), true));
    let policies: Vec<(Policy, bool)> = own
        .into_iter()
        .chain(account_wide.map(|document| (document, false)))
        .filter_map(|(document, own)| Some((Policy::parse(document).ok()?, own)))
        .collect();
    let allowed = |action: &'static str| {
        let bare_counts = |own: bool| own || action == "logs:CreateLogStream";
        let verdicts = policies.iter().map(|(policy, own)| {
            let resources: &[&str] = if bare_counts(*own) {
                &[&stream_arn, &group_arn]
            } else {
                &[&stream_arn]
            };
            policy.verdict(&Ask {
                service: Some(PRINCIPAL),
                account: None,
                action,
                resources,
                source_arn: &invocation.rule_arn,
                source_account: invocation.realm.account(),
            })
        });
        verdicts.fold(Verdict::Silent, Verdict::and) == Verdict::Allowed
    };
    allowed("logs:CreateLogStream") && allowed("logs:PutLogEvents")
}

/// Whether the bus's policy lets another account put events on it.
pub(crate) fn may_put(cx: &mut Cx<'_>, to: &RealmId, bus: &str, account: &str) -> bool {
    let resource = arn::arn("events", to.region(), to.account(), &format!("event-bus/{bus}"));
    let policy = cx
        .world
        .realm(to, cx.now)
        .buses
        .get(bus)
        .and_then(|bus| bus.policy.clone());
    let Some(policy) = policy.and_then(|text| Policy::parse(&text).ok()) else {
        return false;
    };
    let ask = Ask {
        service: None,
        account: Some(account),
        action: "events:PutEvents",
        resources: &[&resource],
        source_arn: "",
        source_account: account,
    };
    policy.verdict(&ask) == Verdict::Allowed
}
