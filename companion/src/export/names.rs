//! Names of blocks: identifiers that say what the object is. The same object has the same name in every export; where two would
//! have one name, both get a part of their id's digest.

use std::collections::BTreeMap;

use uuid::Uuid;

/// Generated once; another one would rename blocks.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f0c_52d1_6e4b_4a37_9c58_21d7_b3e6_0f94);

/// Names by the ids of the objects, given the parts of their names.
pub(crate) fn names<'a>(
    wanted: impl IntoIterator<Item = (String, Vec<&'a str>)>,
) -> BTreeMap<String, String> {
    let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, parts) in wanted {
        by_name.entry(identifier(&parts)).or_default().push(id);
    }
    let named = |(name, ids): (String, Vec<String>)| {
        let is_alone = ids.len() == 1;
        ids.into_iter().map(move |id| {
            let name = if is_alone {
                name.clone()
            } else {
                format!("{name}_{}", digest(&id))
            };
            (id, name)
        })
    };
    by_name.into_iter().flat_map(named).collect()
}

/// The parts as one identifier of ASCII letters.
fn identifier(parts: &[&str]) -> String {
    let kept = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let parts = parts
        .iter()
        .map(|part| part.chars().map(kept).collect::<String>());
    let parts: Vec<String> = parts.map(|part| part.trim_matches('_').to_owned()).collect();
    let name = parts.join("_");
    let name = name.trim_matches('_');
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => name.to_owned(),
        Some(_) => format!("_{name}"),
        None => "unnamed".to_owned(),
    }
}

fn digest(id: &str) -> String {
    let mut digest = Uuid::new_v5(&NAMESPACE, id.as_bytes()).simple().to_string();
    digest.truncate(8);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers() {
        for (text, want) in [
            ("prod", "prod"),
            ("prod-1.eu", "prod-1_eu"),
            ("1st", "_1st"),
            ("-x", "_-x"),
            ("größe \"x\"\n${y}", "gr__e__x____y"),
            ("", "unnamed"),
            ("🚀", "unnamed"),
        ] {
            assert_eq!(identifier(&[text]), want, "{text:?}");
        }
    }

    #[test]
    fn parts_are_joined() {
        assert_eq!(
            identifier(&["prod", "runs", "/scalr/runs"]),
            "prod_runs_scalr_runs"
        );
        assert_eq!(identifier(&["", "runs"]), "runs");
    }

    #[test]
    fn names_are_unique_and_stay() {
        let named = |all: &[(&str, &[&'static str])]| {
            names(all.iter().map(|(id, parts)| ((*id).to_owned(), parts.to_vec())))
        };
        let one = named(&[("1", &["a", "b"]), ("2", &["c"])]);
        assert_eq!((&*one["1"], &*one["2"]), ("a_b", "c"));
        // Whatever the order.
        let two = named(&[("3", &["a_b"]), ("2", &["c"]), ("1", &["a", "b"])]);
        assert_eq!(
            (&*two["1"], &*two["3"], &*two["2"]),
            ("a_b_9496421d", "a_b_153a00e7", "c")
        );
    }
}
