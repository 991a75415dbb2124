//! A resource of the zoo that is all rules: over its attributes, in their types, on what an import id says.

use std::collections::{BTreeMap, BTreeSet};

use tfplugin::rules::{Rules, any_of, at_most_one_of, exactly_one_of, is, requires};
use tfplugin::{
    Attrs, Config, DataSource, Diagnostic, Identity, ImportedAttrs, Newtype, Operation, Plan, Registry,
    Resource, Result, Value,
};

use crate::zoo::Client;

/// A language, by its two letters, whatever their case.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Language(String);

impl Newtype for Language {
    type Base = String;

    fn new(base: String) -> Self {
        Self(base)
    }

    fn base(&self) -> &String {
        &self.0
    }

    fn check(text: &String) -> Result<(), String> {
        if text.len() == 2 {
            Ok(())
        } else {
            Err("must be a language of two letters, such as `en`".to_owned())
        }
    }

    fn equal(a: &String, b: &String) -> bool {
        a.eq_ignore_ascii_case(b)
    }
}

/// A keeper.
#[derive(Attrs, Clone, Debug)]
pub(crate) struct Keeper {
    /// Where the keeper works.
    #[tf(required, replace, check = house)]
    house: String,
    /// The keeper's badge.
    #[tf(computed, use_state_for_unknown, check = badge)]
    badge: Option<i64>,
    /// The keeper's name.
    #[tf(optional)]
    name: Option<String>,
    /// How the name begins; the rest is random.
    #[tf(optional)]
    name_prefix: Option<String>,
    /// What the keeper speaks.
    #[tf(optional)]
    language: Option<Language>,
    /// What the keeper understands, too.
    #[tf(optional)]
    others: Option<BTreeSet<Language>>,
    /// What is spoken to whom.
    #[tf(optional)]
    spoken: Option<BTreeMap<String, Language>>,
    /// In which order.
    #[tf(optional)]
    order: Option<Vec<Language>>,
    /// How the keeper is reached.
    #[tf(optional)]
    phone: Option<Phone>,
    /// How else.
    #[tf(optional)]
    radio: Option<String>,
    /// Or how else.
    #[tf(optional)]
    whistle: Option<bool>,
}

/// A phone.
#[derive(Attrs, Clone, Debug)]
pub(crate) struct Phone {
    /// Its number.
    #[tf(required)]
    number: String,
    /// Whether it takes messages.
    #[tf(optional, computed, default = false)]
    messages: bool,
    /// How many.
    #[tf(optional)]
    limit: Option<i64>,
}

fn house(text: &str) -> Result<(), String> {
    if text.starts_with("house-") {
        Ok(())
    } else {
        Err("must be a house, which begins with `house-`".to_owned())
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a check takes a reference, whatever the type"
)]
fn badge(number: &i64) -> Result<(), String> {
    if *number > 0 {
        Ok(())
    } else {
        Err("must be above zero".to_owned())
    }
}

/// A configuration that was generated from an import has both, and they agree.
fn generated(config: &Config<'_, Keeper>) -> bool {
    let (name, prefix) = (config.value(Keeper::name()), config.value(Keeper::name_prefix()));
    matches!((name, prefix), (Value::Known(name), Value::Known(prefix)) if name.starts_with(&prefix))
}

impl Resource for Keeper {
    const NAME: &'static str = "keeper";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["house", "badge"]);
    const RULES: Rules<Self> = || {
        vec![
            exactly_one_of((Self::name(), Self::name_prefix())).unless(generated),
            at_most_one_of((Self::phone(), Self::radio(), is(Self::whistle(), true))).message(|broken| {
                Diagnostic::error("The keeper is reached in more than one way").at(&broken.set()[1])
            }),
            requires(Self::phone().limit(), is(Self::phone().messages(), true)),
        ]
    };

    async fn create(plan: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        Ok(Self {
            badge: Some(7),
            ..plan
        })
    }

    async fn read(state: Self, _operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        let loud = |language: Language| Language(language.0.to_uppercase());
        Ok(Some(Self {
            language: state.language.map(loud),
            others: state.others.map(|all| all.into_iter().map(loud).collect()),
            spoken: state
                .spoken
                .map(|all| all.into_iter().map(|(to, one)| (to, loud(one))).collect()),
            order: state.order.map(|all| all.into_iter().map(loud).collect()),
            ..state
        }))
    }

    async fn update(_prior: Self, plan: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        Ok(plan)
    }

    async fn delete(_state: Self, _operation: &mut Operation<'_, Self>) -> Result<()> {
        Ok(())
    }

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        if plan.config(Self::name()) == Value::Known("warns of unknowns".to_owned()) {
            let spoken = plan.config(Self::spoken().with_unknowns());
            let known = spoken.map(|all| all.into_values().filter(Value::is_known).count());
            plan.warn(Diagnostic::warning(format!("{known:?} are known")));
        }
        Ok(())
    }

    fn import_id(id: &str) -> Result<ImportedAttrs<Self>> {
        let parts = id
            .split_once('/')
            .and_then(|(house, badge)| Some((house, badge.parse::<i64>().ok()?)));
        let Some((house, badge)) = parts else {
            return Err(Diagnostic::error("The id has the form `HOUSE/BADGE`").into());
        };
        Ok(ImportedAttrs::new()
            .set(Self::house(), house)
            .set(Self::badge(), badge))
    }
}

/// A house of the zoo.
#[derive(Attrs, Clone, Debug)]
pub(crate) struct House {
    /// Its id.
    #[tf(required, replace, check = house)]
    id: String,
}

impl Resource for House {
    const NAME: &'static str = "house";
    type Client = Client;

    async fn create(plan: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        Ok(plan)
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
}

/// The sign of a house.
#[derive(Attrs, Clone, Debug)]
pub(crate) struct Sign {
    /// The house.
    #[tf(required, replace, check = house)]
    house: String,
}

impl Resource for Sign {
    const NAME: &'static str = "sign";
    type Client = Client;
    const IDENTITY: Identity = Identity::of(&["house"]);

    async fn create(plan: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        Ok(plan)
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
}

/// A keeper's shift, by its number, or by house and day.
#[derive(Attrs)]
pub(crate) struct Shift {
    /// Its number.
    #[tf(optional, computed)]
    number: Option<i64>,
    /// Where it is.
    #[tf(optional, computed)]
    house: Option<String>,
    /// When it is.
    #[tf(optional, computed)]
    day: Option<String>,
}

impl DataSource for Shift {
    const NAME: &'static str = "shift";
    type Client = Client;
    const RULES: Rules<Self> = || {
        vec![
            exactly_one_of((Self::number(), any_of((Self::house(), Self::day()))))
                .then(requires(Self::house(), Self::day()))
                .then(requires(Self::day(), Self::house())),
        ]
    };

    async fn read(config: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        Ok(config)
    }
}

pub(crate) fn register(registry: &mut Registry<Client>) {
    registry
        .resource::<Keeper>()
        .resource::<House>()
        .resource::<Sign>()
        .data_source::<Shift>();
}
