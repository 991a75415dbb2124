//! The names that there are, for the one that is most like a name that there is not. Each list is asked for once in a walk.

use std::future::Future;
use std::sync::Arc;

use scalr_events::{SOURCE_PREFIX, nearest};

use super::pages::Page;
use super::{Error, Regional};
use crate::shared_read::{Freshness, Heard, Shared};

/// A list of more than so many pages is left: it is for a hint alone.
const PAGES_MAX: usize = 4;

/// Names, none where there are too many.
pub type Names = Arc<[String]>;

impl Regional {
    /// The bus whose name is most like this one.
    pub async fn bus_like(&self, name: &str) -> Option<String> {
        const CALL: &str = "events:ListEventBuses";
        let page = async |token| {
            let list = self.events.list_event_buses().set_next_token(token);
            let page = self.read(CALL, list.send()).await?;
            let names = page
                .event_buses
                .map(|buses| buses.into_iter().filter_map(|bus| bus.name).collect());
            self.page(CALL, "EventBuses", names, page.next_token)
        };
        like(&self.reads.bus_names, name, || self.names(page)).await
    }

    /// The names of Scalr's event sources; none where they are too many, or cannot be listed.
    pub async fn scalrs_sources(&self) -> Names {
        const CALL: &str = "events:ListEventSources";
        let page = async |token| {
            let list = self.events.list_event_sources().name_prefix(SOURCE_PREFIX);
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            let names = page
                .event_sources
                .map(|sources| sources.into_iter().filter_map(|source| source.name).collect());
            self.page(CALL, "EventSources", names, page.next_token)
        };
        match self
            .reads
            .source_names
            .hear(Freshness::Walk, || self.names(page))
            .await
        {
            Heard::Answer(names) => names,
            Heard::Failed(_) | Heard::NoAnswer => Names::default(),
        }
    }

    /// The rule of a bus whose name is most like this one.
    pub async fn rule_like(&self, bus: &str, name: &str) -> Option<String> {
        let rules = self.listed_rules(bus).await?;
        nearest(name, rules.keys().map(String::as_str)).map(str::to_owned)
    }

    /// The log group whose name is most like this one, of those in the same folder, or else with the same first part.
    pub async fn log_group_like(&self, name: &str) -> Option<String> {
        for prefix in beginnings(name) {
            let list = self.reads.group_names.of(&prefix.to_owned());
            let found = like(&list, name, || self.groups_named(prefix)).await;
            if found.is_some() {
                return found;
            }
        }
        None
    }

    async fn groups_named(&self, prefix: &str) -> Result<Names, Error> {
        const CALL: &str = "logs:DescribeLogGroups";
        let page = async |token| {
            let list = self.logs.describe_log_groups().log_group_name_prefix(prefix);
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            let names = page.log_groups.map(|groups| {
                let names = groups.into_iter().filter_map(|group| group.log_group_name);
                names.collect()
            });
            self.page(CALL, "logGroups", names, page.next_token)
        };
        self.names(page).await
    }

    async fn names<F, Fut>(&self, page: F) -> Result<Names, Error>
    where
        F: FnMut(Option<String>) -> Fut,
        Fut: Future<Output = Result<Page<String>, Error>>,
    {
        let names = self.pages_within(PAGES_MAX, page).await?;
        Ok(names.unwrap_or_default().into())
    }
}

async fn like<F: Future<Output = Result<Names, Error>>>(
    list: &Shared<Names>,
    name: &str,
    ask: impl FnOnce() -> F,
) -> Option<String> {
    match list.hear(Freshness::Walk, ask).await {
        Heard::Answer(names) => nearest(name, names.iter().map(String::as_str)).map(str::to_owned),
        Heard::Failed(_) | Heard::NoAnswer => None,
    }
}

/// What the names of log groups begin with among which the right one may be: the last one has a `/` at its end where there is one.
fn beginnings(name: &str) -> Vec<&str> {
    let cut = |at: usize| &name[..=at];
    let mut inner = name.char_indices().skip(1).filter(|(_, c)| *c == '/');
    let first = inner.next().map(|(at, _)| at);
    let mut found: Vec<&str> = [name.rfind('/'), first].into_iter().flatten().map(cut).collect();
    found.dedup();
    if found.is_empty() {
        found.extend(name.char_indices().nth(3).map(|(at, _)| &name[..at]));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::beginnings;

    #[test]
    fn a_log_group_is_looked_for_beside_and_then_above() {
        for (name, want) in [
            ("/aws/events/scalr/runs", &["/aws/events/scalr/", "/aws/"][..]),
            ("/aws/runs", &["/aws/"]),
            ("/runs", &["/"]),
            ("scalr-runs", &["sca"]),
            ("é/ü/runs", &["é/ü/", "é/"]),
            ("abc", &[]),
            ("", &[]),
        ] {
            assert_eq!(beginnings(name), want, "{name}");
        }
    }
}
