//! One object from its first plan to its end, as the tools lead it: each command has a provider of its own.

use proptest::sample::Index;
use serde_json::Value as Json;
use tfplugin::Diagnostics;
use tfplugin::testing::{Applied, Harness, Planned, ResourceHarness, State, UNKNOWN};

use super::Kind;
use super::compare::{contradiction, difference, filled, places, without, without_usual};
use super::ground::Ground;

/// What is tried with one object.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) first: Json,
    /// What it is changed to.
    pub(super) second: Json,
    /// What of a configuration only the apply knows.
    pub(super) unknown: Vec<Index>,
}

/// An object under way.
pub(super) struct Journey<'a> {
    ground: &'a Ground,
    kind: &'a Kind,
    trial: &'a Trial,
    last: Option<State>,
}

impl<'a> Journey<'a> {
    pub(super) fn new(ground: &'a Ground, kind: &'a Kind, trial: &'a Trial) -> Self {
        Self {
            ground,
            kind,
            trial,
            last: None,
        }
    }

    /// Applies a plan; `promised` is what it says the object will be.
    async fn apply(
        &mut self,
        resource: &ResourceHarness<'_>,
        planned: Planned,
        promised: &Json,
    ) -> Result<State, String> {
        let Applied { state, diags } = resource.apply(planned).await;
        self.last = state.clone().or(self.last.take());
        if diags.has_errors() {
            return Err(said(&diags));
        }
        let state = state.ok_or("the apply left nothing")?;
        agree("the apply is not as planned", difference(promised, &state.json()))?;
        if state.json().to_string().contains("\\u0001") {
            return Err(format!("the apply left something unknown: {}", state.json()));
        }
        Ok(state)
    }

    /// All of it. What a failed one has made is removed where that works.
    pub(super) async fn run(mut self) -> Result<(), String> {
        let ended = self.stages().await;
        if let (Err(_), Some(last)) = (&ended, &self.last) {
            let command = self.command();
            let _ = self.of(&command).destroy(last).await;
        }
        ended
    }

    async fn stages(&mut self) -> Result<(), String> {
        let made = self.made().await.map_err(during("the create"))?;
        let first = &self.trial.first;
        let read = self
            .settled(made, first)
            .await
            .map_err(during("after the create"))?;
        let changed = self.changed(&read).await.map_err(during("the change"))?;
        let second = &self.trial.second;
        let read = self
            .settled(changed, second)
            .await
            .map_err(during("after the change"))?;
        self.removed(&read).await.map_err(during("the destroy"))?;
        self.last = None;
        Ok(())
    }

    fn command(&self) -> Harness {
        self.ground.command()
    }

    fn of<'h>(&self, command: &'h Harness) -> ResourceHarness<'h> {
        command.resource(self.kind.name)
    }

    /// The configuration as a plan has it.
    fn with_unknowns(&self, config: &Json) -> Json {
        let mut config = config.clone();
        for index in &self.trial.unknown {
            let places = places(&config);
            let place = index.get(&places);
            if let Some(value) = config.pointer_mut(place) {
                *value = UNKNOWN.into();
            }
        }
        config
    }

    /// Plans as the plan command does, and says what the object will be: where it is replaced, the tools plan a new one.
    async fn planned(&self, prior: Option<&State>, config: &Json) -> Result<(Planned, Json), String> {
        let config = self.with_unknowns(config);
        let command = self.command();
        let resource = self.of(&command);
        let planned = resource
            .plan(prior, config.clone())
            .await
            .map_err(|diags| said(&diags))?;
        let promised = match prior {
            Some(prior) if !planned.replaces().is_empty() => {
                let new = resource.plan_replacement(prior, config.clone()).await;
                new.map_err(|diags| said(&diags))?.json()
            }
            _ => planned.json(),
        };
        if prior.is_none() || !planned.replaces().is_empty() {
            let written = without(&config, self.kind.write_only.iter().copied());
            agree(
                "the plan is not what is written",
                contradiction(&written, &promised),
            )?;
        }
        Ok((planned, promised))
    }

    async fn made(&mut self) -> Result<State, String> {
        let config = &self.trial.first;
        let (planned, promised) = self.planned(None, config).await?;
        let command = self.command();
        let resource = self.of(&command);
        let settled = self.settle(&resource, None, config, &planned).await?;
        self.apply(&resource, settled, &promised).await
    }

    /// What the apply makes of a plan: where something was unknown, it plans again.
    async fn settle(
        &self,
        resource: &ResourceHarness<'_>,
        prior: Option<&State>,
        config: &Json,
        planned: &Planned,
    ) -> Result<Planned, String> {
        if self.trial.unknown.is_empty() {
            return Ok(planned.clone());
        }
        let again = resource
            .plan(prior, config.clone())
            .await
            .map_err(|diags| said(&diags))?;
        if planned.replaces().is_empty() {
            let differs = difference(&planned.json(), &again.json());
            agree("the apply plans something else", differs)?;
            let replaces = again.replaces();
            if !replaces.is_empty() {
                return Err(format!(
                    "the plan was in place, and the apply replaces for {replaces:?}"
                ));
            }
        }
        Ok(again)
    }

    async fn changed(&mut self, prior: &State) -> Result<State, String> {
        let config = &self.trial.second;
        let (planned, promised) = self.planned(Some(prior), config).await?;
        let command = self.command();
        let resource = self.of(&command);
        let settled = self.settle(&resource, Some(prior), config, &planned).await?;
        let replaces = !planned.replaces().is_empty();
        if settled.is_empty() && !replaces {
            return Ok(prior.clone());
        }
        if settled.replaces().is_empty() && replaces {
            // What was unknown is as it was: the tools replace anyway.
            let new = resource.plan_replacement(prior, config.clone()).await;
            let new = new.map_err(|diags| said(&diags))?;
            resource.destroy(prior).await.map_err(|diags| said(&diags))?;
            self.last = None;
            return self.apply(&resource, new, &promised).await;
        }
        self.apply(&resource, settled, &promised).await
    }

    /// A refresh and a second plan change nothing, and an import gives the same.
    async fn settled(&self, state: State, config: &Json) -> Result<State, String> {
        let command = self.command();
        let resource = self.of(&command);
        let read = resource.read(&state).await.map_err(|diags| said(&diags))?;
        let read = read.ok_or("a refresh does not find it")?;
        agree("a refresh changes it", difference(&state.json(), &read.json()))?;
        let planned = resource
            .plan(Some(&read), config.clone())
            .await
            .map_err(|diags| said(&diags))?;
        if !planned.is_empty() || !planned.replaces().is_empty() {
            let changes = difference(&planned.json(), &read.json());
            return Err(format!(
                "the second plan is not empty: {changes:?} {:?}",
                planned.replaces()
            ));
        }
        if self.kind.is_importable {
            self.imported(&read, config).await.map_err(during("the import"))?;
        }
        Ok(read)
    }

    async fn imported(&self, state: &State, config: &Json) -> Result<(), String> {
        let command = self.command();
        let resource = self.of(&command);
        let identity = resource.identity(state);
        let imported = resource
            .import_by_identity(identity)
            .await
            .map_err(|diags| said(&diags))?;
        let bare = |value: &Json| without(value, self.kind.not_imported());
        let bare =
            |value: &Json| filled(&without_usual(&bare(value), self.kind.as_unwritten())).unwrap_or_default();
        let (wanted, found) = (bare(&state.json()), bare(&imported.json()));
        agree("it gives something else", difference(&wanted, &found))?;
        let planned = resource
            .plan(Some(&imported), config.clone())
            .await
            .map_err(|diags| said(&diags))?;
        agree(
            "a plan after it changes more",
            difference(&bare(&planned.json()), &found),
        )?;
        if !planned.replaces().is_empty() {
            return Err(format!("a plan after it replaces for {:?}", planned.replaces()));
        }
        let generated = resource.generate(&imported).await.map_err(|diags| said(&diags))?;
        let planned = resource
            .plan(Some(&imported), generated.clone())
            .await
            .map_err(|diags| said(&diags))?;
        if planned.is_empty() && planned.replaces().is_empty() {
            return Ok(());
        }
        let changes = difference(&planned.json(), &imported.json());
        Err(format!(
            "the generated configuration {generated} changes {changes:?}"
        ))
    }

    async fn removed(&self, state: &State) -> Result<(), String> {
        let command = self.command();
        self.of(&command)
            .destroy(state)
            .await
            .map_err(|diags| said(&diags))?;
        if self.kind.outlives_destroy {
            return Ok(());
        }
        // Not by a refresh: one of a target finds the log group that is left.
        let command = self.command();
        let resource = self.of(&command);
        match resource.import_by_identity(resource.identity(state)).await {
            Ok(found) => Err(format!("it is still there: {}", found.json())),
            Err(_) => Ok(()),
        }
    }
}

fn agree(what: &str, difference: Option<String>) -> Result<(), String> {
    difference.map_or(Ok(()), |difference| Err(format!("{what}: {difference}")))
}

fn said(diags: &Diagnostics) -> String {
    diags.to_string()
}

fn during(what: &str) -> impl Fn(String) -> String {
    move |why| format!("{what}: {why}")
}
