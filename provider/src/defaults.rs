//! The provider's defaults for AWS-side resources, region and tags: as they are planned, and as operations use them.

use std::collections::BTreeMap;

use scalr_events::regions;
use tfplugin::{Attr, AttrType, ClientOf, Diagnostic, Operation, Plan, Resource, Result, Value};

use crate::aws::look::Look;
use crate::aws::tags::{self, FromState, Ignored, Tags, Written};
use crate::aws::{Aws, Error, Limits, Regional};
use crate::client::Client;
use crate::failure::Cause as _;
use crate::values::Region;

/// The clients for a resource's region, within the operation's limits.
pub async fn regional<T, K>(operation: &Operation<'_, T>, region: Option<&Region>) -> Result<Regional>
where
    T: ClientOf<K, Client = Client>,
{
    let aws = operation.client().aws()?;
    let region = region.map(|region| &**region).filter(|region| !region.is_empty());
    if region.is_none() {
        aws.settings().region.clone()?;
    }
    let regional = aws.region(region, Limits::of(operation)).await;
    regional.map_err(|e| match e {
        Error::Unreachable { .. } => e.during("reach AWS"),
        e => e.during("look up the account of the AWS credentials"),
    })
}

/// The same for a refresh: its reads share answers, which are from this walk.
pub async fn refreshing<T, K>(operation: &Operation<'_, T>, region: Option<&Region>) -> Result<Regional>
where
    T: ClientOf<K, Client = Client>,
{
    Ok(regional(operation, region).await?.refreshing())
}

/// The clients for a look with a plan; none where its region is not known yet, or AWS cannot be asked.
pub async fn look<R: Resource<Client = Client>>(
    plan: &Plan<'_, R>,
    region: &Attr<R, Option<Region>>,
) -> Option<Look> {
    let known = plan.planned(region.clone()).known();
    // What neither configuration nor environment names is found by the SDK.
    if known.is_none() && !plan.config(region.clone()).is_null() {
        return None;
    }
    aws(plan)?.look(known.as_deref(), plan.cancelled()).await
}

/// The same in a region that is known.
pub async fn look_in<R: Resource<Client = Client>>(plan: &Plan<'_, R>, region: &str) -> Option<Look> {
    aws(plan)?.look(Some(region), plan.cancelled()).await
}

/// The tags of an object that is made or changed.
#[derive(Clone, Copy, Debug)]
pub struct Tagging<'a> {
    /// The tags that everything gets.
    pub defaults: &'a Tags,
    /// Those that are somebody else's once the object is made.
    pub ignored: &'a Ignored,
}

impl Tagging<'_> {
    /// What a new object gets. A tag that is ignored has this value until somebody else gives it another.
    pub fn sent(&self, own: Option<&Written>) -> Tags {
        own.map_or_else(|| self.defaults.clone(), |own| tags::all(own, self.defaults))
    }

    /// `tags_all`.
    pub fn managed(&self, own: Option<&Written>) -> Tags {
        self.ignored.without(self.sent(own))
    }
}

/// Which tags are given to an object, and which are left alone.
pub fn tagging(client: &Client) -> Result<Tagging<'_>> {
    let settings = client.aws()?.settings();
    Ok(Tagging {
        defaults: settings.default_tags.all()?,
        ignored: settings.ignore_tags.as_ref().map_err(Clone::clone)?,
    })
}

/// `tags_all` where the plan could not know it. As planned otherwise: `ignore_changes` may keep it as it was.
pub fn complete_tags(client: &Client, own: Option<&Written>, everything: &mut Option<Tags>) -> Result<()> {
    if everything.is_none() {
        *everything = Some(tagging(client)?.managed(own));
    }
    Ok(())
}

/// A resource's own tags, and all of them.
type OwnAndAll<'a> = (Option<&'a Written>, Option<&'a Tags>);

/// Brings the tags of what belongs to a custom event bus from those of the state to those that are planned.
pub async fn retag_custom(
    client: &Client,
    aws: &Regional,
    arn: &str,
    [held, planned]: [OwnAndAll<'_>; 2],
) -> Result<std::result::Result<(), Error>> {
    let tagging = tagging(client)?;
    let (all, none) = (planned.1, Tags::new());
    let wanted = tags::wanted(all.unwrap_or(&none), [held.0, planned.0], tagging.defaults);
    let held = held.1.unwrap_or(&none);
    Ok(aws.retag_custom(arn, held, &wanted, tagging.ignored).await)
}

/// The default tags that an object is known to need.
pub fn needed_tags(client: &Client) -> Tags {
    let settings = client.aws().ok().map(Aws::settings);
    let needed = settings.and_then(|settings| {
        let ignored = settings.ignore_tags.as_ref().ok()?;
        Some(ignored.without(settings.default_tags.known.clone()))
    });
    needed.unwrap_or_default()
}

/// Takes the tags that AWS holds into the state, which needs no tag to be known. Where it is not known which are ignored, those of
/// the state stay.
pub fn read_tags(
    client: &Client,
    held: Tags,
    own: &mut Option<Written>,
    everything: &mut Option<Tags>,
) -> Result<()> {
    let settings = client.aws()?.settings();
    let none = Ignored::default();
    let ignored = match &settings.ignore_tags {
        Ok(ignored) => ignored,
        Err(_) if everything.is_some() => return Ok(()),
        Err(_) => &none,
    };
    let held = ignored.without(held);
    let known = FromState {
        own: own.as_ref(),
        all: everything.as_ref(),
    };
    *own = tags::own(&held, &settings.default_tags, ignored, known);
    *everything = Some(held);
    Ok(())
}

/// Plans the region where the configuration names none: the provider's own if it is written there. One that the
/// environment names is planned for what is new only: moving to another machine must not replace anything.
pub fn plan_region<R: Resource<Client = Client>>(plan: &mut Plan<'_, R>, attr: &Attr<R, Option<Region>>) {
    let configured = plan.config(attr.clone()).known();
    check_region(plan, configured.as_deref(), attr.clone());
    if !plan.config(attr.clone()).is_null() {
        return;
    }
    // A region that is not known yet is waited for; an object that has one keeps it meanwhile.
    let Some((written, environment)) = aws(plan).and_then(|aws| {
        let settings = aws.settings();
        let written = settings.region.clone().ok()?;
        Some((written, settings.environment_region.clone()))
    }) else {
        return;
    };
    match (plan.planned(attr.clone()), written) {
        (Value::Known(held), Some(written)) if *held != *written => {
            check_region(plan, Some(&written), attr.clone());
            plan.set(attr.clone(), Region::from(&*written));
            plan.replace(attr.clone());
        }
        (Value::Known(_), _) => {}
        (_, written) => {
            if let Some(region) = written.or(environment) {
                check_region(plan, Some(&region), attr.clone());
                plan.set(attr.clone(), Region::from(&*region));
            }
        }
    }
}

/// Says that a region may not exist. AWS may have added it since, so a new object is warned of alone: its creation fails, and
/// nothing is lost. What a replacement deletes first would be lost, so that is refused. An object that is there needs no warning.
pub fn check_region<R, T>(plan: &mut Plan<'_, R>, region: Option<&str>, attr: Attr<R, T>)
where
    R: Resource<Client = Client>,
    T: AttrType<Known = Region>,
{
    let Some(region) = region.filter(|region| !regions::is_known(region)) else {
        return;
    };
    let moves = match plan.held(attr.clone()) {
        // It exists: the object is there.
        Value::Known(held) if *held == *region => return,
        Value::Known(held) => !held.is_empty(),
        _ => false,
    };
    let meant = regions::meant(region);
    let meant = meant.map_or_else(String::new, |meant| {
        format!(" The nearest that is known is `{meant}`.")
    });
    let title = format!("The AWS region `{region}` is not known");
    let unknown =
        "It is none of the regions that this version of the provider knows; AWS may have added it since.";
    if moves {
        plan.error(
            Diagnostic::error(title)
                .detail(format!(
                    "{unknown} To move the object there, an apply deletes it first (unless `create_before_destroy` is set); if the \
                     region does not exist, the creation then fails, and the object is gone. Nothing has changed.{meant} If the \
                     region exists, write a second block with it, apply, and remove this one."
                ))
                .at(attr),
        );
    } else {
        let detail = format!("{unknown} If it does not exist, an apply fails.{meant}");
        plan.warn(Diagnostic::warning(title).detail(detail).at(attr));
    }
}

/// Plans all tags: the resource's own over the defaults. `prior` is where the object has its own.
pub fn plan_tags<R: Resource<Client = Client>>(
    plan: &mut Plan<'_, R>,
    own: &Attr<R, Option<Written>>,
    everything: &Attr<R, Option<Tags>>,
    prior: fn(&R) -> Option<&Written>,
) {
    let written = known(plan.config(own.with_unknowns()));
    let settings = aws(plan).map(Aws::settings);
    let ignored = settings.and_then(|settings| settings.ignore_tags.clone().ok());
    let Some((written, ignored)) = written.zip(ignored) else {
        plan.set_unknown(everything.clone());
        return;
    };
    match settings.and_then(|settings| settings.default_tags.under(&written, &ignored)) {
        Some(planned) => plan.set(everything.clone(), planned),
        None => plan.set_unknown(everything.clone()),
    }
    let held = plan
        .prior()
        .map(|object| prior(object).cloned().unwrap_or_default());
    let changed = |held: Written| {
        let differs =
            |(key, value): &(&String, &Option<String>)| ignored.has(key) && held.get(*key) != Some(*value);
        let keys = written.iter().filter(differs).map(|(key, _)| key.clone());
        keys.collect::<Vec<_>>()
    };
    let changed = held.filter(|_| !plan.replaces()).map(changed).unwrap_or_default();
    if !changed.is_empty() {
        plan.warn(tag_is_ignored(&changed).at(own.clone()));
    }
}

fn tag_is_ignored(keys: &[String]) -> Diagnostic {
    let keys = keys.join("`, `");
    Diagnostic::warning("A tag that is ignored is not changed").detail(format!(
        "`ignore_tags` in the provider's `aws` leaves `{keys}` to somebody else: such a tag is set when the object is made, and \
         never after that. Remove it from `tags`, or from `ignore_tags`."
    ))
}

fn aws<'a, R: Resource<Client = Client>>(plan: &'a Plan<'_, R>) -> Option<&'a Aws> {
    plan.client().and_then(|client| client.aws().ok())
}

fn known(own: Value<BTreeMap<String, Value<String>>>) -> Option<Written> {
    let one = |(key, value): (String, Value<String>)| (!value.is_unknown()).then(|| (key, value.known()));
    match own {
        Value::Null => Some(Written::new()),
        Value::Unknown => None,
        Value::Known(own) => own.into_iter().map(one).collect(),
    }
}
