//! A provider that has one of everything. Its objects live in a map; `Cage::modes` says how it misbehaves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value as Json;
use tfplugin::testing::Harness;
use tfplugin::{
    Attrs, Config, ConfigureRequest, DataSource, Diagnostic, Diagnostics, Dynamic, Identity, Moves, Number,
    Operation, Plan, PlanAction, Provider, Registry, Resource, Result, Timeouts, Value, WaitEnd, mins, secs,
};

/// A zoo.
#[derive(Attrs)]
pub(crate) struct Zoo {
    /// Its name; may be unknown.
    #[tf(optional)]
    name: Value<String>,
    /// The key of the gate.
    #[tf(optional, sensitive)]
    key: Option<String>,
    /// Other gates, by name.
    #[tf(optional)]
    gates: Option<BTreeMap<String, Gate>>,
}

/// A gate.
#[derive(Attrs)]
pub(crate) struct Gate {
    /// Its codes.
    #[tf(optional, sensitive)]
    codes: Option<Vec<String>>,
}

/// The animals, by id.
#[derive(Default)]
pub(crate) struct Client {
    pub(crate) key: Option<String>,
    codes: Vec<String>,
    animals: Mutex<BTreeMap<String, Animal>>,
}

impl Client {
    fn animals(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Animal>> {
        self.animals.lock().unwrap()
    }
}

impl Provider for Zoo {
    const NAME: &'static str = "zoo";
    type Client = Client;

    async fn configure(self, request: &ConfigureRequest) -> Result<Client> {
        assert_eq!(request.terraform_version(), "1.11.4");
        if self.name.as_ref().known().map(String::as_str) == Some("closed") {
            return Err(Diagnostic::error("The zoo is closed").at(Self::name()).into());
        }
        if self.name.is_null() && self.key.is_none() && self.gates.is_none() {
            return Err(Diagnostic::error("The zoo is nowhere").at(Self::name()).into());
        }
        Ok(Client {
            key: self.key,
            codes: self
                .gates
                .into_iter()
                .flat_map(BTreeMap::into_values)
                .flat_map(|gate| gate.codes.unwrap_or_default())
                .collect(),
            ..Client::default()
        })
    }

    fn register(registry: &mut Registry<Client>) {
        registry
            .resource::<Animal>()
            .resource::<Feeding>()
            .data_source::<Census>();
        crate::keeper::register(registry);
        crate::functions::register(registry);
    }
}

/// Where an animal lives.
#[derive(Attrs, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cage {
    /// Its number.
    #[tf(required, replace, check = positive)]
    number: i64,
    /// How it is heated.
    #[tf(optional, computed, default = "sun")]
    heating: String,
    /// Its temperature.
    #[tf(computed)]
    degrees: Option<i64>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a check takes a reference, whatever the type"
)]
fn positive(number: &i64) -> Result<(), String> {
    if *number > 0 {
        Ok(())
    } else {
        Err("must be positive".to_owned())
    }
}

/// How an animal is marked.
#[derive(Attrs, Clone, Debug, Default, PartialEq)]
pub(crate) struct Mark {
    /// What it says; cannot be changed.
    #[tf(optional, replace)]
    text: Option<String>,
    /// Where it is; cannot be changed, and the keeper chooses where the configuration does not.
    #[tf(optional, computed, replace)]
    place: Option<String>,
    /// Its colour.
    #[tf(optional)]
    colour: Option<String>,
}

/// Where the food is kept.
#[derive(Attrs, Clone, Debug, Default, PartialEq)]
pub(crate) struct Vault {
    /// Opens it.
    #[tf(required)]
    code: String,
}

fn same_ignoring_case(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// An animal.
#[derive(Attrs, Clone, Debug, Default, PartialEq)]
pub(crate) struct Animal {
    /// Its name.
    #[tf(required, replace)]
    pub(crate) name: String,
    /// Its species, whatever the case.
    #[tf(optional, equal = same_ignoring_case)]
    species: Option<String>,
    /// How much it weighs, exactly.
    #[tf(optional)]
    weight: Option<Number>,
    /// How tall it is.
    #[tf(optional)]
    height: Option<f64>,
    /// Whether it bites.
    #[tf(optional, computed, default = true)]
    bites: bool,
    /// Its id.
    #[tf(computed, use_state_for_unknown)]
    pub(crate) id: Option<String>,
    /// How often it changed.
    #[tf(computed)]
    pub(crate) revision: Option<i64>,
    /// The mood; the zoo chooses one where the keeper does not.
    #[tf(optional, computed)]
    mood: Option<String>,
    /// Its cage.
    #[tf(optional)]
    cage: Option<Cage>,
    /// Former cages.
    #[tf(optional)]
    former: Option<Vec<Cage>>,
    /// Other cages.
    #[tf(optional)]
    others: Option<BTreeSet<Cage>>,
    /// Cages by season.
    #[tf(optional)]
    seasons: Option<BTreeMap<String, Cage>>,
    /// Notes by topic.
    #[tf(optional)]
    notes: Option<BTreeMap<String, String>>,
    /// How it is marked.
    #[tf(optional)]
    mark: Option<Mark>,
    /// Where its food is.
    #[tf(optional, sensitive)]
    vault: Option<Vault>,
    /// Anything.
    #[tf(optional)]
    extra: Option<Dynamic>,
    /// Said once, never stored.
    #[tf(optional, write_only)]
    whisper: Option<String>,
    /// How it misbehaves.
    #[tf(optional)]
    mode: Option<String>,
    /// The old way to say it.
    #[deprecated(note = "use `notes`")]
    #[tf(optional)]
    remark: Option<String>,
}

#[allow(deprecated)]
impl Animal {
    fn misbehaves(&self) -> &str {
        self.mode.as_deref().unwrap_or_default()
    }

    /// One that was somebody else's until now.
    pub(crate) fn moved(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            bites: true,
            whisper: Some("shown to nobody".to_owned()),
            ..Self::default()
        }
    }

    fn stored(mut self, revision: i64) -> Self {
        self.revision = Some(revision);
        self.id = Some(format!("animal-{}", self.name));
        self.mood = self.mood.or(Some("calm".to_owned()));
        let more = i64::from(self.misbehaves() == "warms up" && revision > 1);
        let warm = |cage: &mut Cage| cage.degrees = Some(cage.number * 10 + more);
        self.cage.iter_mut().for_each(warm);
        self.former.iter_mut().flatten().for_each(warm);
        self.seasons
            .iter_mut()
            .flat_map(BTreeMap::values_mut)
            .for_each(warm);
        let warmed = |mut cage: Cage| {
            warm(&mut cage);
            cage
        };
        self.others = self.others.map(|all| all.into_iter().map(warmed).collect());
        self
    }
}

impl Resource for Animal {
    const NAME: &'static str = "animal";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["name"]).optional(&["mood"]);
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(2)).delete(secs(90));
    const VERSION: i64 = 2;
    const PLANS_DESTROY: bool = true;
    const MOVES: Moves<Self> = crate::moves::of_animal;

    async fn create(plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        assert_eq!(
            operation.private("heard"),
            None,
            "a new animal has heard nothing yet"
        );
        let mode = plan.misbehaves().to_owned();
        assert!(mode != "panics before", "the lion is loose");
        let heard = plan.whisper.clone();
        let mut new = plan.stored(1);
        operation.client().animals().insert(new.name.clone(), new.clone());
        operation.set_private("heard", heard.unwrap_or_default());
        operation.save(Self {
            revision: None,
            ..new.clone()
        });
        match mode.as_str() {
            "fails late" => return Err(Diagnostic::error("It ran away").at(Self::name()).into()),
            "panics late" => panic!("the lion is loose"),
            "lies" => new.name.push('?'),
            "lies about the vault" => new.vault = Some(Vault::default()),
            "shouts" => new.species = new.species.map(|species| species.to_uppercase()),
            "gossips" => {
                let Client { key, codes, .. } = operation.client();
                let secrets = key.iter().chain(codes).cloned().collect::<Vec<_>>();
                operation.warn(Diagnostic::warning("It has secrets").detail(secrets.join(" and ")));
            }
            _ => {}
        }
        Ok(new)
    }

    async fn read(state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let found = operation.client().animals().get(&state.name).cloned();
        Ok(found.map(|animal| match animal.misbehaves() {
            "shouts" => Self {
                species: animal.species.as_ref().map(|text| text.to_uppercase()),
                ..animal
            },
            _ => animal,
        }))
    }

    async fn update(prior: Self, plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        if plan.misbehaves() == "fails" {
            return Err(Diagnostic::error("It will not change").into());
        }
        assert_ne!(prior, plan, "an update that changes nothing");
        let made = plan.stored(prior.revision.unwrap_or_default() + 1);
        operation
            .client()
            .animals()
            .insert(made.name.clone(), made.clone());
        Ok(made)
    }

    async fn delete(state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        if state.misbehaves() == "stays" {
            return Err(Diagnostic::error("It will not leave").into());
        }
        operation.client().animals().remove(&state.name);
        Ok(())
    }

    fn validate_config(config: &Config<'_, Self>, diags: &mut Diagnostics) {
        let number = Self::cage().number();
        if config.value(number.clone()) == Value::Known(13) {
            diags.push(Diagnostic::error("Bad luck").at(number));
        }
        let secret = Self::notes().key("secret");
        if config.value(secret.clone()).is_known() {
            diags.push(Diagnostic::warning("Told to all").at(secret));
        }
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        if plan.action() == PlanAction::Delete {
            plan.warn(Diagnostic::warning("It will be missed"));
            return Ok(());
        }
        match plan.planned(Self::mode()).known().as_deref() {
            Some("plans mood") => plan.set(Self::mood(), "planned"),
            Some("plans revision") if plan.prior().is_some() => plan.set(Self::revision(), 7),
            Some("plans nonsense") => plan.set(Self::name(), "other"),
            Some("warns") => plan.warn(Diagnostic::warning("It is hungry")),
            Some("refuses") => plan.error(Diagnostic::error("Not today")),
            Some("warns and fails") => {
                plan.warn(Diagnostic::warning("It is hungry"));
                return Err(Diagnostic::error("It does not move").into());
            }
            Some("replaces") if plan.prior().is_some_and(|prior| prior.misbehaves() != "replaces") => {
                plan.replace(Self::mode());
            }
            Some("needs client") if plan.client().is_none() => plan.set_unknown(Self::mood()),
            _ => {}
        }
        Ok(())
    }

    fn upgrade(version: i64, mut raw: Json) -> Result<Json> {
        if version == 0 {
            raw["name"] = raw["title"].take();
        }
        raw["bites"] = true.into();
        Ok(raw)
    }
}

/// A feeding: waits, cannot be imported, is not asked about its destroy.
#[derive(Attrs, Clone)]
pub(crate) struct Feeding {
    /// After how many looks the animal is fed.
    #[tf(required, replace)]
    looks: i64,
    /// How the wait ended.
    #[tf(computed)]
    end: Option<String>,
}

impl Resource for Feeding {
    const NAME: &'static str = "feeding";
    type Client = Client;
    const IDENTITY: Identity = Identity::none();
    const TIMEOUTS: Timeouts = Timeouts::none().create(mins(5));
    const IMPORTABLE: bool = false;

    async fn create(plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let mut attempts = operation.attempts(Duration::from_secs(10));
        let mut end = None;
        while let Some(count) = attempts.next().await {
            if i64::from(count) >= plan.looks {
                end = Some(format!("done at {count}"));
                break;
            }
            attempts.awaiting(format!("look {count}"));
        }
        let end = end.unwrap_or_else(|| match attempts.end() {
            WaitEnd::TimedOut { last } => format!("timed out at {last}"),
            WaitEnd::Cancelled { last } => format!("cancelled at {last}"),
        });
        Ok(Self {
            end: Some(end),
            ..plan
        })
    }

    async fn read(state: Self, _operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        Ok(Some(state))
    }

    async fn update(_prior: Self, plan: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        Ok(plan)
    }

    async fn delete(_state: Self, _operation: &mut Operation<'_, Self>) -> Result<()> {
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        assert_ne!(plan.action(), PlanAction::Delete, "`PLANS_DESTROY` is not set");
        Ok(())
    }
}

/// How many animals there are.
#[derive(Attrs)]
pub(crate) struct Census {
    /// Only those whose name begins so.
    #[tf(optional, computed, default = "")]
    prefix: String,
    /// How many.
    #[tf(computed)]
    count: Option<i64>,
    /// Their names.
    #[tf(computed)]
    names: Vec<String>,
}

impl DataSource for Census {
    const NAME: &'static str = "census";
    type Client = Client;

    async fn read(config: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let all = operation.client().animals();
        let names: Vec<String> = all
            .keys()
            .filter(|name| name.starts_with(&config.prefix))
            .cloned()
            .collect();
        Ok(Self {
            count: i64::try_from(names.len()).ok(),
            names,
            ..config
        })
    }
}

/// A zoo that is open.
pub(crate) async fn open() -> Harness {
    let harness = Harness::new::<Zoo>();
    harness
        .configure(serde_json::json!({
            "key": "s3cr3t-key",
            "gates": { "north": { "codes": ["s3cr3t-code"] } },
        }))
        .await
        .unwrap();
    harness
}

/// The messages, one a line.
pub(crate) fn text(diags: &Diagnostics) -> String {
    diags.to_string()
}
