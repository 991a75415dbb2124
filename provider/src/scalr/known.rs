//! Whether Scalr has the workspace, the environment or the connection of an id, as plans ask: by few requests, and for a short
//! time. Where Scalr gives no answer, nothing is known.

use std::future::Future;
use std::time::Duration;

use scalr_api::{
    ConnectionId, Environment, EnvironmentId, Id, Kind, Object, Workspace, WorkspaceAttributes, WorkspaceId,
};
use scalr_events::{Identified, nearest};
use tfplugin::CancellationToken;

use super::Scalr;
use super::reads::{Answer, ById, Listed};

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(10);

/// What Scalr says of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It has the object.
    There,
    /// It has none, or none that the token may see.
    Missing {
        /// The object that was probably meant.
        near: Option<Near>,
    },
}

/// An object that Scalr has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// How certain it has to be that there is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// What is not in a list is not there: for a warning.
    Taken,
    /// What is not in a list is asked for singly: for an error.
    Cleared,
}

/// A kind of object that an id of a pattern can name.
trait Named: Kind + Clone {
    fn name(attributes: &Self::Attributes) -> &str;
}

impl Named for Workspace {
    fn name(attributes: &WorkspaceAttributes) -> &str {
        &attributes.name
    }
}

impl Named for Environment {
    fn name(attributes: &Self::Attributes) -> &str {
        &attributes.name
    }
}

impl Scalr {
    /// What Scalr says of an id, as of this walk.
    pub async fn known(
        &self,
        (of, id): (Identified, &str),
        doubt: Doubt,
        stop: &CancellationToken,
    ) -> Option<Known> {
        let scalr = self.stopping_with(stop);
        let asked = async {
            match of {
                Identified::Workspace => scalr.known_workspace(id, doubt).await,
                Identified::Environment => scalr.known_environment(id, doubt).await,
            }
        };
        self.in_time(asked, stop).await?
    }

    /// Whether Scalr has the connection of that id, as of this walk.
    pub async fn has_connection(&self, id: &ConnectionId, stop: &CancellationToken) -> Option<bool> {
        let scalr = self.stopping_with(stop);
        // A refresh in this walk may have asked for it.
        let asked = scalr.connection_of_walk(id, |_| true);
        Some(self.in_time(asked, stop).await?.is_some())
    }

    /// The answer to a plan's question, if it comes in time. The first that does not ends the wait of all others of this walk,
    /// and whatever they would still ask.
    pub async fn in_time<T>(
        &self,
        asked: impl Future<Output = Answer<T>>,
        stop: &CancellationToken,
    ) -> Option<T> {
        let given_up = &self.reads.given_up;
        let heard = tokio::select! {
            biased;
            () = given_up.cancelled() => return None,
            heard = tokio::time::timeout(WITHIN, asked) => heard,
        };
        match heard {
            Ok(Ok(answer)) => Some(answer),
            // It answers, and does not say.
            Ok(Err(error)) if error.refusal().is_some() && !error.is_passing() => None,
            Ok(Err(_)) | Err(_) => {
                // An interruption is no fault of Scalr's.
                if !stop.is_cancelled() {
                    given_up.cancel();
                }
                None
            }
        }
    }

    /// The workspace that was probably meant by the id of none.
    pub async fn near_workspace(&self, id: &str) -> Option<Near> {
        let list = |pages| self.api.workspaces_within(pages);
        let all = tokio::time::timeout(WITHIN, self.reads.workspaces.all(list)).await;
        near(id, &all.ok()??)
    }

    async fn known_workspace(&self, id: &str, doubt: Doubt) -> Answer<Option<Known>> {
        let Ok(id) = WorkspaceId::new(id) else {
            return Ok(None);
        };
        let list = |pages| self.api.workspaces_within(pages);
        known(&self.reads.workspaces, &id, doubt, list, || {
            self.api.workspace(&id)
        })
        .await
    }

    async fn known_environment(&self, id: &str, doubt: Doubt) -> Answer<Option<Known>> {
        let Ok(id) = EnvironmentId::new(id) else {
            return Ok(None);
        };
        let list = |pages| self.api.environments_within(pages);
        known(&self.reads.environments, &id, doubt, list, || {
            self.api.environment(&id)
        })
        .await
    }
}

async fn known<K: Named, L, O>(
    of: &ById<K>,
    id: &Id<K>,
    doubt: Doubt,
    list: impl Fn(u32) -> L,
    one: impl Fn() -> O,
) -> Answer<Option<Known>>
where
    L: Future<Output = Answer<Option<Vec<Object<K>>>>>,
    O: Future<Output = Answer<Option<Object<K>>>>,
{
    let listed = of.listed(id, &list).await;
    if let Some(all) = listed.as_ref() {
        if all.contains_key(id) {
            return Ok(Some(Known::There));
        }
        if doubt == Doubt::Taken {
            let near = near(id.as_str(), all);
            return Ok(Some(Known::Missing { near }));
        }
    }
    if of.one(id, one).await?.is_some() {
        return Ok(Some(Known::There));
    }
    let all = of.all(&list).await;
    let near = all.and_then(|all| near(id.as_str(), &all));
    Ok(Some(Known::Missing { near }))
}

/// The object whose id is spelt most like this one, or else whose name stands in the place of an id's letters.
fn near<K: Named>(id: &str, all: &Listed<K>) -> Option<Near> {
    let name = |object: &Object<K>| K::name(&object.attributes).to_owned();
    let found = |id: &Id<K>, object: &Object<K>| Near {
        id: id.to_string(),
        name: name(object),
    };
    let like = nearest(id, all.keys().map(Id::as_str));
    let by_id = all.iter().find(|(known, _)| Some(known.as_str()) == like);
    let by_name = || {
        let (_, letters) = id.split_once('-')?;
        let like = nearest(letters, all.values().map(|object| K::name(&object.attributes)))?;
        all.iter().find(|(_, object)| K::name(&object.attributes) == like)
    };
    by_id.or_else(by_name).map(|(id, object)| found(id, object))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_near_one_is_spelt_like_it_or_has_the_name_that_stands_there() {
        let one = |id: &str, name: &str| {
            let id = WorkspaceId::new(id).unwrap();
            let object = Object::<Workspace>::new(
                id.clone(),
                WorkspaceAttributes {
                    name: name.to_owned(),
                },
            );
            (id, object)
        };
        let all: Listed<Workspace> = Arc::new(BTreeMap::from([
            one("ws-v0p500fu3s9ban8s8", "network"),
            one("ws-v0r8cq6h2kj47mm1a", "database"),
        ]));
        for (id, want) in [
            ("ws-v0p500fu3s9ban8s9", Some("network")),
            ("ws-v0r8cq6h2kj4mm1a", Some("database")),
            ("ws-network", Some("network")),
            ("ws-databse", Some("database")),
            ("ws-v0zzzzzzzzzzzzzzz", None),
            ("ws-9", None),
        ] {
            let found = near(id, &all).map(|near| near.name);
            assert_eq!(found.as_deref(), want, "{id}");
        }
    }
}
