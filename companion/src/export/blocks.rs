//! What was found, as blocks: an `import` and a `resource` for each object, with references where a person would write them.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use scalr_events::is_generated;

use super::account::{Account, Bus, Connection, CustomBus, EventSource, LogGroup, Rule, Target};
use super::custom_blocks::{self, CUSTOM_BUS, EVENT_SOURCE};
use super::hcl::{Attributes, Block, Value, given, tags, text, texts};
use super::names::{Wanted, names};

const CONNECTION: &str = "scalr_eventbridge_connection";
const BUS: &str = "scalr_eventbridge_bus";
const RULE: &str = "scalr_eventbridge_rule";
const TARGET: &str = "scalr_eventbridge_target";
const ACTIVATION: &str = "scalr_eventbridge_activation";
const AUDIT_LOG_SETTING: &str = "scalr_audit_log_setting";

/// The blocks of everything that was found.
pub(crate) fn blocks(account: &Account) -> Vec<Block> {
    let export = Export::new(account);
    let (mut blocks, mut written) = (Vec::new(), BTreeSet::new());
    for connection in &account.connections {
        blocks.extend(export.connection(connection));
        let bus = account.buses.iter().find(|bus| bus.is_of(connection));
        if let Some(bus) = bus {
            blocks.extend(export.bus(bus, connection));
        }
        let mut sources = account.event_sources.iter();
        let source = sources.find(|source| source.is_of(connection));
        if let Some(source) = source {
            let mut buses = account.custom_buses.iter();
            let bus = buses.find(|bus| bus.arn == source.event_bus_arn);
            // Several connections may feed one bus.
            let bus = bus.filter(|bus| written.insert(bus.arn.as_str()));
            blocks.extend(bus.into_iter().flat_map(|bus| export.custom_bus(bus)));
            blocks.extend(export.event_source(source, connection));
        }
        if connection.settled {
            blocks.extend(export.activation(connection, bus, source));
        }
    }
    for setting in &account.audit_logs {
        let connection = account
            .connections
            .iter()
            .find(|one| one.id == setting.connection_id);
        let selected = match connection {
            Some(one) if one.settled => export.reference(ACTIVATION, &one.id, "connection_id"),
            Some(one) => export.reference(CONNECTION, &one.id, "id"),
            None => text(&setting.connection_id),
        };
        let attributes = vec![("connection_id", selected)];
        let label = export.name(AUDIT_LOG_SETTING, &setting.account_id);
        blocks.extend(pair(AUDIT_LOG_SETTING, label, &setting.account_id, attributes));
    }
    blocks
}

impl Bus {
    /// AWS gives the bus the name of the connection's event source.
    pub(crate) fn is_of(&self, connection: &Connection) -> bool {
        connection.source.as_ref() == Some(&self.name)
            && connection.region == self.region
            && connection.aws_account_id == self.aws_account_id
    }

    fn import_id(&self) -> String {
        format!("{}@{}", self.name, self.region)
    }

    fn import_id_of(&self, rule: &Rule) -> String {
        format!("{}/{}@{}", self.name, rule.name, self.region)
    }

    fn import_id_of_target(&self, rule: &Rule, target: &Target) -> String {
        format!("{}/{}/{}@{}", self.name, rule.name, target.id, self.region)
    }
}

/// Names of the blocks by type and import id.
struct Export(BTreeMap<&'static str, BTreeMap<String, String>>);

impl Export {
    fn new(account: &Account) -> Self {
        let connections = || {
            account.connections.iter().map(|one| Wanted {
                id: one.id.clone(),
                parts: vec![one.name.as_str()],
                apart: vec![&one.region, &one.aws_account_id],
            })
        };
        let buses = account
            .buses
            .iter()
            .map(|bus| wanted_on(bus, bus.import_id(), vec![bus.short()]));
        let rules = account.buses.iter().flat_map(|bus| {
            let rules = bus.rules.iter();
            rules.map(move |rule| wanted_on(bus, bus.import_id_of(rule), vec![bus.short(), &rule.name]))
        });
        let targets = account.buses.iter().flat_map(|bus| {
            bus.rules.iter().flat_map(move |rule| {
                let targets = rule.targets.iter();
                targets.map(move |target| {
                    let parts = vec![bus.short(), rule.name.as_str(), target.short()];
                    wanted_on(bus, bus.import_id_of_target(rule, target), parts)
                })
            })
        });
        // An account is known by its id alone: what it streams to is what a person knows.
        let audit_logs = account.audit_logs.iter().map(|setting| {
            let mut of = account.connections.iter();
            let connection = of.find(|one| one.id == setting.connection_id);
            Wanted {
                id: setting.account_id.clone(),
                parts: vec![connection.map_or(setting.account_id.as_str(), |one| &one.name)],
                apart: vec![&setting.account_id],
            }
        });
        Self(BTreeMap::from([
            (ACTIVATION, names(connections())),
            (CONNECTION, names(connections())),
            (BUS, names(buses)),
            (CUSTOM_BUS, names(custom_blocks::buses(account))),
            (EVENT_SOURCE, names(custom_blocks::event_sources(account))),
            (RULE, names(rules)),
            (TARGET, names(targets)),
            (AUDIT_LOG_SETTING, names(audit_logs)),
        ]))
    }

    fn name(&self, kind: &str, id: &str) -> &str {
        let name = self.0.get(kind).and_then(|names| names.get(id));
        name.map_or("unnamed", String::as_str)
    }

    fn reference(&self, kind: &str, id: &str, attribute: &str) -> Value {
        Value::Expression(format!("{kind}.{}.{attribute}", self.name(kind, id)))
    }

    fn pair(&self, kind: &'static str, id: &str, attributes: Attributes) -> [Block; 2] {
        pair(kind, self.name(kind, id), id, attributes)
    }

    fn connection(&self, connection: &Connection) -> [Block; 2] {
        let mut attributes = vec![
            ("name", text(&connection.name)),
            ("aws_account_id", text(&connection.aws_account_id)),
            ("region", text(&connection.region)),
        ];
        if !connection.enabled {
            attributes.push(("enabled", Value::Bool(false)));
        }
        self.pair(CONNECTION, &connection.id, attributes)
    }

    fn activation(
        &self,
        connection: &Connection,
        bus: Option<&Bus>,
        source: Option<&EventSource>,
    ) -> [Block; 2] {
        let mut attributes = vec![("connection_id", self.reference(CONNECTION, &connection.id, "id"))];
        let targets = bus.into_iter().flat_map(|bus| {
            let of_rule = move |rule| rule_targets(bus, rule);
            bus.rules.iter().flat_map(of_rule)
        });
        let targets = targets.map(|id| format!("{TARGET}.{}", self.name(TARGET, &id)));
        let source = source.map(|source| format!("{EVENT_SOURCE}.{}", self.name(EVENT_SOURCE, &source.arn)));
        let first: Vec<Value> = targets.chain(source).map(Value::Expression).collect();
        if !first.is_empty() {
            attributes.push(("depends_on", Value::List(first)));
        }
        self.pair(ACTIVATION, &connection.id, attributes)
    }

    fn bus(&self, bus: &Bus, connection: &Connection) -> Vec<Block> {
        let id = bus.import_id();
        let mut attributes = vec![
            (
                "event_source_name",
                self.reference(CONNECTION, &connection.id, "event_source_name"),
            ),
            ("region", self.reference(CONNECTION, &connection.id, "region")),
        ];
        attributes.extend(given("description", bus.description.as_ref()));
        attributes.extend(given("kms_key_identifier", bus.kms_key_identifier.as_ref()));
        attributes.extend(dead_letters(bus.dead_letter_arn.as_ref()));
        attributes.extend(bus.log.as_ref().map(|(level, detail)| {
            let mut log = vec![("level", text(level))];
            log.extend((detail != "NONE").then(|| ("include_detail", text(detail))));
            ("log_config", Value::Object(log))
        }));
        attributes.extend(tags(&bus.tags));
        let mut blocks = self.pair(BUS, &id, attributes).to_vec();
        for rule in &bus.rules {
            blocks.extend(self.rule(bus, rule));
        }
        blocks
    }

    fn custom_bus(&self, bus: &CustomBus) -> [Block; 2] {
        self.pair(CUSTOM_BUS, &bus.arn, custom_blocks::bus(bus))
    }

    fn event_source(&self, source: &EventSource, connection: &Connection) -> [Block; 2] {
        let bus = self.reference(CUSTOM_BUS, &source.event_bus_arn, "arn");
        let partner = self.reference(CONNECTION, &connection.id, "event_source_arn");
        let attributes = custom_blocks::event_source(source, bus, partner);
        self.pair(EVENT_SOURCE, &source.arn, attributes)
    }

    fn rule(&self, bus: &Bus, rule: &Rule) -> Vec<Block> {
        let (bus_id, id) = (bus.import_id(), bus.import_id_of(rule));
        let mut attributes = vec![
            ("name", text(&rule.name)),
            ("region", self.reference(BUS, &bus_id, "region")),
            ("event_bus_name", self.reference(BUS, &bus_id, "name")),
        ];
        attributes.extend(given("description", rule.description.as_ref()));
        attributes.push(("event_pattern", Value::Json(rule.event_pattern.clone())));
        attributes.extend((!rule.enabled).then_some(("enabled", Value::Bool(false))));
        attributes.extend(given("role_arn", rule.role_arn.as_ref()));
        attributes.extend(tags(&rule.tags));
        let mut blocks = self.pair(RULE, &id, attributes).to_vec();
        for target in &rule.targets {
            blocks.extend(self.target(bus, rule, target));
        }
        blocks
    }

    fn target(&self, bus: &Bus, rule: &Rule, target: &Target) -> [Block; 2] {
        let (bus_id, rule_id) = (bus.import_id(), bus.import_id_of(rule));
        let mut attributes = vec![
            ("rule", self.reference(RULE, &rule_id, "name")),
            ("region", self.reference(BUS, &bus_id, "region")),
            ("event_bus_name", self.reference(RULE, &rule_id, "event_bus_name")),
            ("target_id", text(&target.id)),
        ];
        attributes.push(match &target.log_group {
            Some(group) => ("log_group", log_group(group)),
            None => ("arn", text(&target.arn)),
        });
        attributes.extend(target.input.clone().map(|input| ("input", Value::Json(input))));
        attributes.extend(given("input_path", target.input_path.as_ref()));
        attributes.extend(target.transformer.as_ref().map(|(paths, template)| {
            let mut transformer = Vec::new();
            if !paths.is_empty() {
                transformer.push(("input_paths", texts(paths)));
            }
            transformer.push(("input_template", text(template)));
            ("input_transformer", Value::Object(transformer))
        }));
        let retry = [
            ("maximum_event_age_in_seconds", target.event_age_seconds),
            ("maximum_retry_attempts", target.retry_attempts),
        ];
        let retry: Attributes = retry
            .into_iter()
            .filter_map(|(name, number)| Some((name, Value::Number(number?))))
            .collect();
        attributes.extend((!retry.is_empty()).then_some(("retry_policy", Value::Object(retry))));
        attributes.extend(dead_letters(target.dead_letter_arn.as_ref()));
        attributes.extend(given("role_arn", target.role_arn.as_ref()));
        self.pair(TARGET, &bus.import_id_of_target(rule, target), attributes)
    }
}

fn rule_targets(bus: &Bus, rule: &Rule) -> Vec<String> {
    let targets = rule.targets.iter();
    targets
        .map(|target| bus.import_id_of_target(rule, target))
        .collect()
}

impl Bus {
    /// The connection's name, which ends the bus's.
    fn short(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }
}

/// What is on a bus is told apart by where the bus is.
fn wanted_on<'a>(bus: &'a Bus, id: String, parts: Vec<&'a str>) -> Wanted<'a> {
    Wanted {
        id,
        parts,
        apart: vec![&bus.region, &bus.aws_account_id],
    }
}

impl Target {
    /// Its id, where somebody chose one; else where it leads.
    fn short(&self) -> &str {
        if !is_generated(&self.id) {
            return &self.id;
        }
        let whole = self.arn.as_str();
        match &self.log_group {
            Some(group) => &group.name,
            // The ARN of an API destination ends in its UUID, after its name.
            None => whole
                .rsplit([':', '/'])
                .find(|part| !is_generated(part))
                .unwrap_or(whole),
        }
    }
}

fn pair(kind: &'static str, name: &str, id: &str, attributes: Attributes) -> [Block; 2] {
    let block = |keyword, labels, attributes| Block {
        keyword,
        labels,
        attributes,
    };
    [
        block(
            "import",
            Vec::new(),
            vec![
                ("to", Value::Expression(format!("{kind}.{name}"))),
                ("id", text(id)),
            ],
        ),
        block("resource", vec![kind.to_owned(), name.to_owned()], attributes),
    ]
}

fn dead_letters(arn: Option<&String>) -> Option<(&'static str, Value)> {
    arn.map(|arn| ("dead_letter_config", Value::Object(vec![("arn", text(arn))])))
}

fn log_group(group: &LogGroup) -> Value {
    let mut attributes = vec![("name", text(&group.name))];
    if group.create {
        attributes.push(("create", Value::Bool(true)));
        attributes.extend(
            group
                .retention_in_days
                .map(|days| ("retention_in_days", Value::Number(days))),
        );
        attributes.extend(given("kms_key_id", group.kms_key_id.as_ref()));
    }
    Value::Object(attributes)
}
