//! Import ids: `BUS`, `BUS/RULE`, `BUS/RULE/TARGET_ID`, each with `@REGION` at the end where the provider's own
//! region is not meant. A bus name holds `/` itself, so the parts come off the end.

use tfplugin::{Diagnostic, Result};

use crate::check;
use crate::values::Region;

/// What an import id says: the names, the outermost first, and the region if one is given.
pub type Parts<'a, const N: usize> = ([&'a str; N], Option<Region>);

/// The bus.
pub fn bus(id: &str) -> Result<Parts<'_, 1>> {
    let (rest, region) = split_region(id)?;
    if !is_bus(rest) {
        return Err(refused(id, "BUS", "`aws.partner/scalr.com/ACCOUNT/NAME`"));
    }
    Ok(([rest], region))
}

/// Bus and rule.
pub fn rule(id: &str) -> Result<Parts<'_, 2>> {
    let (rest, region) = split_region(id)?;
    let parts = rest
        .rsplit_once('/')
        .filter(|(bus, rule)| is_whole_bus(bus) && is_name(rule));
    let Some((bus, rule)) = parts else {
        return Err(refused(
            id,
            "BUS/RULE",
            "`aws.partner/scalr.com/ACCOUNT/NAME/RULE`",
        ));
    };
    Ok(([bus, rule], region))
}

/// Bus, rule and target.
pub fn target(id: &str) -> Result<Parts<'_, 3>> {
    let (rest, region) = split_region(id)?;
    let parts = rest
        .rsplit_once('/')
        .filter(|(_, target)| is_name(target))
        .and_then(|(rest, target)| {
            let (bus, rule) = rest
                .rsplit_once('/')
                .filter(|(bus, rule)| is_whole_bus(bus) && is_name(rule))?;
            Some([bus, rule, target])
        });
    let Some(parts) = parts else {
        return Err(refused(
            id,
            "BUS/RULE/TARGET_ID",
            "`aws.partner/scalr.com/ACCOUNT/NAME/RULE/TARGET_ID`",
        ));
    };
    Ok((parts, region))
}

/// A wrong region would be asked for minutes before its name turned out to lead nowhere.
fn split_region(id: &str) -> Result<(&str, Option<Region>)> {
    let Some((rest, region)) = id.rsplit_once('@') else {
        return Ok((id, None));
    };
    check::region(region).map_err(|why| {
        Diagnostic::error(format!("Import id `{id}` cannot be read")).detail(format!(
            "What follows its last `@` {why}; it is `{region}`. Without `@` the provider's own region is meant. Nothing \
             was imported."
        ))
    })?;
    Ok((rest, Some(Region::from(region))))
}

fn refused(id: &str, form: &str, example: &str) -> tfplugin::Diagnostics {
    Diagnostic::error(format!("Import id `{id}` cannot be read"))
        .detail(format!(
            "The id has the form `{form}` or `{form}@REGION`, for an event bus of Scalr: {example}. Nothing was imported."
        ))
        .into()
}

/// Letters of a rule's name or a target's id.
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(is_letter)
}

/// A bus's name that is not the beginning of one of Scalr's: what follows it would be taken for less than it is.
fn is_whole_bus(text: &str) -> bool {
    is_bus(text) && (!text.starts_with(scalr_events::SOURCE_PREFIX) || text.split('/').count() == 4)
}

/// Letters of a bus's name.
pub fn is_bus(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text
            .split('/')
            .all(|part| !part.is_empty() && part.bytes().all(is_letter))
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values<const N: usize>(parts: Result<Parts<'_, N>>) -> Option<Vec<String>> {
        let (names, region) = parts.ok()?;
        let names = names.into_iter().map(str::to_owned);
        Some(names.chain(region.map(|region| region.to_string())).collect())
    }

    const BUS: &str = "aws.partner/scalr.com/acme/prod";

    #[test]
    fn ids() {
        assert_eq!(values(bus(BUS)), Some(vec![BUS.to_owned()]));
        assert_eq!(
            values(bus("x@eu-west-1")),
            Some(vec!["x".to_owned(), "eu-west-1".to_owned()])
        );
        for bad in [
            "",
            "@eu-west-1",
            "a//b",
            "a/",
            "a b",
            "x@",
            "x@us-east1",
            "x@us-east-1a",
        ] {
            assert_eq!(values(bus(bad)), None, "{bad}");
        }
        for bad in ["", "r", "/r", "bus/", "bus//r", "bus/r r"] {
            assert_eq!(values(rule(bad)), None, "{bad}");
        }
        for bad in ["", "t", "r/t", "/r/t", "bus/r/", "bus//t"] {
            assert_eq!(values(target(bad)), None, "{bad}");
        }
        // A part of a bus of Scalr's is not its bus.
        assert_eq!(values(rule(BUS)), None);
        assert_eq!(values(target(&format!("{BUS}/rule"))), None);
        assert!(values(target(&format!("{BUS}/rule/target"))).is_some());
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            bus_name in "[._a-zA-Z0-9-]{1,12}(/[._a-zA-Z0-9-]{1,12}){0,4}",
            rule_name in "[._a-zA-Z0-9-]{1,64}",
            target_id in "[._a-zA-Z0-9-]{1,64}",
            region in prop::option::of("[a-z]{2}-[a-z]{4,9}-[1-9]"),
        ) {
            let at = region.as_ref().map(|r| format!("@{r}")).unwrap_or_default();
            let want = |parts: &[&String]| -> Vec<String> {
                parts.iter().map(|part| (*part).clone()).chain(region.clone()).collect()
            };
            prop_assert_eq!(values(bus(&format!("{bus_name}{at}"))), Some(want(&[&bus_name])));
            prop_assert_eq!(values(rule(&format!("{bus_name}/{rule_name}{at}"))), Some(want(&[&bus_name, &rule_name])));
            prop_assert_eq!(
                values(target(&format!("{bus_name}/{rule_name}/{target_id}{at}"))),
                Some(want(&[&bus_name, &rule_name, &target_id]))
            );
        }

        #[test]
        fn nothing_panics(id in ".{0,80}") {
            let _ = (bus(&id), rule(&id), target(&id));
        }
    }
}
