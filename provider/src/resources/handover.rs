//! Objects that change hands: a create that adopts one, and a destroy whose object another resource has by now.

use tfplugin::{ClientOf, Diagnostics, Operation, Path, Plan, Resource, Result};

use super::messages;
use crate::aws::look::Service;
use crate::aws::tags::{INSTANCE, Tags};
use crate::aws::{Error, Regional};
use crate::client::Client;
use crate::failure::Cause as _;
use crate::ownership::{Conflict, MOVED, Object, Owner, PRIVATE, Turn};

/// Waits for the turn at an object, for as long as the operation lasts.
pub async fn turn<T, K>(operation: &Operation<'_, T>, object: &Object) -> Result<Turn>
where
    T: ClientOf<K, Client = Client>,
{
    tokio::select! {
        biased;
        turn = operation.client().memory().turn(object) => Ok(turn),
        () = operation.cancelled().cancelled() => Err(messages::queue_ended("Interrupted", object).into()),
        () = tokio::time::sleep_until(operation.deadline()) => Err(messages::queue_ended("Too late", object).into()),
    }
}

/// The turn of a create.
pub async fn turn_to_create<T, K>(operation: &Operation<'_, T>, object: &Object) -> Result<Turn>
where
    T: ClientOf<K, Client = Client>,
{
    operation.client().memory().begin_creation(object);
    turn(operation, object).await
}

/// Refuses to adopt an object that another resource made in this very apply: both would have it, and the destroy of one
/// would destroy the other's.
pub fn refuse_made_by_two(turn: &Turn, object: &Object) -> Result<()> {
    if turn.is_owned() {
        return Err(messages::made_by_two(object).into());
    }
    Ok(())
}

/// Whether a destroy is to leave an object: another resource made or adopted it since the provider was configured.
pub fn is_anothers<T>(operation: &Operation<'_, T>, turn: &Turn, object: &Object) -> bool {
    let anothers = turn.is_anothers(Owner::of(operation).as_ref());
    if anothers {
        operation.warn(messages::left_to_another(object));
    }
    anothers
}

/// The turn of a destroy.
pub struct Destroy {
    turn: Turn,
    /// The object has the tag of an adoption.
    pub is_tagged: bool,
}

impl Destroy {
    /// The object is gone.
    pub fn done<T>(mut self, operation: &Operation<'_, T>) {
        self.turn.disown(Owner::of(operation).as_ref());
    }
}

/// The turn of a destroy; none where the object is another's, by what this process knows or by the tag that an adoption
/// leaves: the ARN of what carries it, and its key.
pub async fn turn_to_destroy<T, K>(
    operation: &Operation<'_, T>,
    aws: &Regional,
    object: &Object,
    (arn, tag): (&str, &str),
    failed: impl FnOnce(Error) -> Diagnostics,
) -> Result<Option<Destroy>>
where
    T: ClientOf<K, Client = Client>,
{
    let turn = turn(operation, object).await?;
    if is_anothers(operation, &turn, object) {
        return Ok(None);
    }
    let found = aws.owner(arn, tag).await.map_err(failed)?;
    let is_tagged = found.is_some();
    if is_tagged && found != Owner::of(operation) && operation.private(MOVED).is_none() {
        operation.warn(messages::left_to_tagged(object, (arn, tag), &aws.name));
        return Ok(None);
    }
    Ok(Some(Destroy { turn, is_tagged }))
}

/// Says that an object was there and is this resource's now, and has its tag say so. A failure is a warning: the object is
/// as planned.
pub async fn adopted<T>(
    operation: &Operation<'_, T>,
    aws: &Regional,
    object: &Object,
    (arn, tag): (&str, &str),
) {
    operation.warn(messages::adopted(object));
    set_owner(operation, aws, object, (arn, tag)).await;
}

/// Overwrites a tag that an earlier object of this name left: it would have the new one count as another's.
pub async fn made<T>(
    operation: &Operation<'_, T>,
    aws: &Regional,
    object: &Object,
    (arn, tag): (&str, &str),
) {
    if let Ok(Some(_)) = aws.owner(arn, tag).await {
        set_owner(operation, aws, object, (arn, tag)).await;
    }
}

async fn set_owner<T>(
    operation: &Operation<'_, T>,
    aws: &Regional,
    object: &Object,
    (arn, tag): (&str, &str),
) {
    if let Err(error) = aws.set_owner(arn, tag, &Owner::ensure(operation)).await {
        let standing = messages::not_tagged(object, tag);
        for failure in &error.during_with(messages::doing_tag(object), &standing) {
            operation.warn(failure.clone());
        }
    }
}

/// Compares the owner that adopted an object with the one of the state, at a refresh. An import takes the object over, and so
/// does a `moved` block: the last that adopted it counts as this resource. Otherwise returns the other one, where it is another.
///
/// That is so while another resource or state has the object, and after an apply that was killed before it wrote the state.
/// A plan shows it, and the update takes the object back. An object that is only to be destroyed is never planned to change,
/// so a deposed one takes nothing back.
pub fn adopted_elsewhere<T>(
    operation: &Operation<'_, T>,
    tagged: Option<Owner>,
    is_import: bool,
) -> Option<Owner> {
    let is_new_here = is_import || operation.private(MOVED).is_some();
    operation.set_private(MOVED, "");
    if let Some(tagged) = tagged.as_ref().filter(|_| is_new_here) {
        tagged.keep(operation);
    }
    let this = Owner::ensure(operation);
    tagged.filter(|tagged| *tagged != this)
}

/// Has `tags_all` show the tag of an adoption by another, which a plan then removes.
pub fn show_adoption<T>(
    operation: &Operation<'_, T>,
    tagged: Option<Owner>,
    is_import: bool,
    tags_all: &mut Option<Tags>,
) {
    if let Some(other) = adopted_elsewhere(operation, tagged, is_import) {
        let all = tags_all.get_or_insert_default();
        all.insert(INSTANCE.to_owned(), other.as_str().to_owned());
    }
}

/// Has the tag name this resource again.
pub async fn take_back<T>(operation: &Operation<'_, T>, aws: &Regional, object: &Object, mark: (&str, &str)) {
    set_owner(operation, aws, object, mark).await;
}

/// Whether a destroy will leave its object to another resource: one of this plan that makes it, or the one that adopted it,
/// which the tag of the object with this ARN names.
pub async fn will_be_left<R: Resource<Client = Client>>(
    plan: &Plan<'_, R>,
    object: Object,
    arn: &str,
) -> bool {
    let Some(client) = plan.client() else {
        return false;
    };
    if client.memory().plans_creation(&object) {
        return true;
    }
    let adopted_by = async {
        let aws = client.aws().ok()?;
        let aws = aws.look(object.region(), plan.cancelled()).await?;
        // The tags of a queue are SQS's.
        let service = match object {
            Object::Queue { .. } => Service::Queues,
            _ => Service::Events,
        };
        if !aws.asks(service) {
            return None;
        }
        aws.heard(service, aws.owner(arn, INSTANCE).await)?
    };
    let adopted_by = adopted_by.await;
    adopted_by.is_some() && adopted_by != plan.private(PRIVATE).and_then(Owner::from_private)
}

/// Notes what a plan makes of an object: the one that is there, or is to be made; none where it is not known yet. Where
/// another resource of the plan has it, the plan is refused at an attribute. `instead`: what would tell the two apart.
pub fn plan<R: Resource<Client = Client>>(
    plan: &mut Plan<'_, R>,
    object: Option<Object>,
    instead: &str,
    at: impl Into<Path>,
) {
    let Some(object) = object else {
        return;
    };
    let owner = plan.private(PRIVATE).and_then(Owner::from_private);
    if let Err(conflict) = note(plan, &object, owner) {
        plan.error(messages::planned_twice(conflict, &object, instead).at(at));
    }
}

/// Notes what a plan makes of an object. `owner`: whose it is, as private state has it.
pub fn note<R: Resource<Client = Client>>(
    plan: &Plan<'_, R>,
    object: &Object,
    owner: Option<Owner>,
) -> std::result::Result<(), Conflict> {
    let Some(client) = plan.client() else {
        return Ok(());
    };
    match plan.prior() {
        None => client.memory().plan_creation(object.clone(), owner.as_ref()),
        // A replacement has a creation of its own. An object without an owner cannot be told from the one that replaces it.
        Some(_) if plan.replaces() => Ok(()),
        Some(_) => owner.map_or(Ok(()), |owner| {
            client.memory().plan_keeping(object.clone(), owner)
        }),
    }
}
