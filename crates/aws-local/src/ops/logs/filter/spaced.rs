//! `[ip, user, ..., status = 4*, bytes > 1000]`: the fields of a message, separated by spaces.

use super::reader::{Logic, Reader, Test};

/// A condition on the fields of a message.
#[derive(Debug)]
pub(in crate::ops::logs) struct Fields {
    /// Before the ellipsis, or all.
    first: Vec<Field>,
    /// After the ellipsis, if there is one.
    last: Option<Vec<Field>>,
}

/// What a field has to be, if anything.
type Field = Option<Logic<Test>>;

impl Fields {
    /// Reads the whole pattern, brackets included.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let inner = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .ok_or("a bracket is not closed")?;
        let mut reader = Reader::new(inner);
        let (mut first, mut last) = (Vec::new(), None::<Vec<Field>>);
        loop {
            if reader.take("...") {
                if last.replace(Vec::new()).is_some() {
                    return Err("there is more than one `...`".to_owned());
                }
            } else {
                let field = field(&mut reader)?;
                last.as_mut().unwrap_or(&mut first).push(field);
            }
            if !reader.take(",") {
                break;
            }
        }
        if !reader.rest.is_empty() {
            return Err(format!("unexpected `{}`", reader.rest));
        }
        Ok(Self { first, last })
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        let given = split(message);
        let fit = |fields: &[Field], given: &[&str]| {
            let fits = |(field, text): (&Field, &&str)| {
                field
                    .as_ref()
                    .is_none_or(|logic| logic.holds(&|test| test.holds(text)))
            };
            fields.iter().zip(given).all(fits)
        };
        let count = self.first.len() + self.last.as_ref().map_or(0, Vec::len);
        match &self.last {
            None => given.len() == count && fit(&self.first, &given),
            Some(last) => {
                given.len() >= count
                    && fit(&self.first, &given)
                    && fit(last, &given[given.len() - last.len()..])
            }
        }
    }
}

/// A name, or conditions on it; a field without either may be anything.
fn field(reader: &mut Reader<'_>) -> Result<Field, String> {
    if reader.rest.is_empty() || reader.rest.starts_with(',') {
        return Ok(None);
    }
    let start = reader.rest;
    if !start.starts_with('(') {
        name(reader)?;
        if reader.rest.is_empty() || reader.rest.starts_with(',') {
            return Ok(None);
        }
        reader.rest = start;
    }
    let condition = |reader: &mut Reader<'_>| {
        name(reader)?;
        reader.comparison("()&|,")
    };
    reader.any(&condition).map(Some)
}

fn name(reader: &mut Reader<'_>) -> Result<(), String> {
    let end = reader
        .rest
        .find(|c: char| !(c.is_alphanumeric() || "_-$".contains(c)))
        .unwrap_or(reader.rest.len());
    if end == 0 {
        return Err(format!("a field's name is needed at `{}`", reader.rest));
    }
    reader.rest = reader.rest[end..].trim_start();
    Ok(())
}

/// The fields of a message: a text in brackets or double quotes is one.
fn split(message: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = message.trim_start();
    // What is not closed from here on is not closed from further on either, and is looked for once.
    let (mut open_bracket, mut open_quote) = (false, false);
    while let Some(first) = rest.chars().next() {
        let close = match first {
            '[' => Some((']', &mut open_bracket)),
            '"' => Some(('"', &mut open_quote)),
            _ => None,
        };
        let enclosed = close.filter(|(_, open)| !**open).and_then(|(close, open)| {
            let end = rest[1..].find(close);
            *open = end.is_none();
            let end = end? + 1;
            Some((&rest[1..end], &rest[end + 1..]))
        });
        let (field, after) = enclosed.unwrap_or_else(|| {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            rest.split_at(end)
        });
        fields.push(field);
        rest = after.trim_start();
    }
    fields
}
