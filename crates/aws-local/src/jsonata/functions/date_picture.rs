//! Pictures of times: `[Y0001]-[M01]-[D01]`, `[FNn], [D1o] [MNn]`.

use super::super::error::{Failure, error};
use super::super::number;
use super::calendar::{DAYS, MONTHS, Moment, zone_minutes};
use super::picture::{Case, Decimal, Form, Grouping, Picture, analyse};

#[derive(Debug)]
pub(super) struct DatePicture {
    pub(super) parts: Vec<Part>,
}

#[derive(Debug)]
pub(super) enum Part {
    Literal(String),
    Marker(Marker),
}

/// One `[…]`.
#[derive(Debug)]
pub(super) struct Marker {
    pub(super) component: char,
    /// Written as a name, in this case.
    names: Option<Case>,
    /// Written as a number.
    pub(super) integer: Option<Picture>,
    width_max: Option<usize>,
    /// How many digits of the year there are.
    year_digits: Option<usize>,
    /// `t`: a zone without an offset is `Z`.
    zulu: bool,
    /// Digits exactly, where another number follows at once.
    exact: Option<usize>,
}

/// Letters of a picture.
const LETTERS_MAX: usize = 500;
/// Digits and letters that a part may be wide.
const WIDTH_MAX: usize = 50;

fn usual(component: char) -> Option<&'static str> {
    Some(match component {
        'Y' | 'M' | 'D' | 'd' | 'W' | 'w' | 'X' | 'x' | 'H' | 'h' | 'f' => "1",
        'F' | 'P' | 'C' | 'E' => "n",
        'm' | 's' => "01",
        'Z' | 'z' => "01:01",
        _ => return None,
    })
}

impl DatePicture {
    pub(super) fn analyse(picture: &str) -> Result<Self, Failure> {
        if picture.len() > LETTERS_MAX {
            return Err(error("D3132", "a picture of a time has 500 letters at most"));
        }
        let mut parts: Vec<Part> = Vec::new();
        let mut literal = String::new();
        let mut rest = picture;
        while let Some((before, after)) = rest.split_once('[') {
            literal.push_str(&before.replace("]]", "]"));
            if let Some(after) = after.strip_prefix('[') {
                literal.push('[');
                rest = after;
                continue;
            }
            let Some((marker, after)) = after.split_once(']') else {
                return Err(error("D3135", "the picture of a time has a `[` without `]`"));
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            let marker = Marker::analyse(&marker.split_whitespace().collect::<String>())?;
            if let (Some(Part::Marker(before)), true) = (parts.last_mut(), marker.integer.is_some()) {
                before.exact = before.integer.as_ref().and_then(mandatory);
            }
            parts.push(Part::Marker(marker));
            rest = after;
        }
        literal.push_str(&rest.replace("]]", "]"));
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { parts })
    }

    pub(super) fn format(&self, moment: &Moment) -> Result<String, Failure> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Marker(marker) => out.push_str(&marker.format(moment)?),
            }
        }
        Ok(out)
    }
}

fn mandatory(picture: &Picture) -> Option<usize> {
    match &picture.form {
        Form::Decimal(decimal) => Some(decimal.mandatory),
        _ => None,
    }
}

fn decimal_of(picture: &mut Option<Picture>) -> Option<&mut Decimal> {
    match &mut picture.as_mut()?.form {
        Form::Decimal(decimal) => Some(decimal),
        _ => None,
    }
}

/// The widths behind a comma: `2`, `2-4`, `*-3`.
fn widths(text: &str) -> (Option<usize>, Option<usize>) {
    let (min, max) = text
        .split_once('-')
        .map_or((text, None), |(min, max)| (min, Some(max)));
    let width = |text: &str| text.parse::<usize>().ok().map(|width| width.min(WIDTH_MAX));
    (width(min), max.and_then(width))
}

impl Marker {
    fn analyse(marker: &str) -> Result<Self, Failure> {
        let mut letters = marker.chars();
        let component = letters.next().unwrap_or(' ');
        let Some(usual) = usual(component) else {
            return Err(error(
                "D3132",
                format!("a picture of a time has no component {component:?}"),
            ));
        };
        let rest = letters.as_str();
        let (form, width) = rest
            .rsplit_once(',')
            .map_or((rest, None), |(form, width)| (form, Some(width)));
        let (width_min, width_max) = width.map_or((None, None), widths);
        let last = form
            .chars()
            .last()
            .filter(|last| form.chars().count() > 1 && "atco".contains(*last));
        let form = match (form, last) {
            ("", _) => usual,
            (form, Some(last)) => &form[..form.len() - last.len_utf8()],
            (form, None) => form,
        };
        let names = match form {
            _ if form.starts_with('n') => Some(Case::Lower),
            _ if form.starts_with("Nn") => Some(Case::Title),
            _ if form.starts_with('N') => Some(Case::Upper),
            _ => None,
        };
        let counted = names.is_none() && "YMDdFWwXxHhmsf".contains(component);
        let mut integer = match component {
            'Z' | 'z' => Some(analyse(form)?),
            _ if counted => Some(analyse(&format!(
                "{form}{}",
                if last == Some('o') { ";o" } else { "" }
            ))?),
            _ => None,
        };
        let mut year_digits = None;
        if let Some(decimal) = decimal_of(&mut integer).filter(|_| counted) {
            decimal.mandatory = decimal.mandatory.max(width_min.unwrap_or(0));
            if component == 'Y' {
                let wide = decimal.mandatory + decimal.optional;
                year_digits = width_max.or((wide >= 2).then_some(wide));
                decimal.mandatory = width_max.unwrap_or(decimal.mandatory);
            }
        }
        Ok(Self {
            component,
            names,
            integer,
            width_max,
            year_digits,
            zulu: last == Some('t'),
            exact: None,
        })
    }

    fn format(&self, moment: &Moment) -> Result<String, Failure> {
        match self.component {
            'Z' | 'z' => self.zone(moment.offset_minutes),
            'C' | 'E' => Ok("ISO".to_owned()),
            'P' => {
                let half = if moment.is_afternoon() { "pm" } else { "am" };
                Ok(if self.names == Some(Case::Upper) {
                    half.to_uppercase()
                } else {
                    half.to_owned()
                })
            }
            component => {
                let mut value = moment.component(component).unwrap_or_default();
                if let Some(digits) = self.year_digits {
                    value %= 10_i64.saturating_pow(u32::try_from(digits).unwrap_or(18));
                }
                match (&self.names, &self.integer) {
                    (Some(case), _) => self.name(value, *case),
                    (None, Some(integer)) => integer.format(number::from_millis(value)),
                    (None, None) => Ok(String::new()),
                }
            }
        }
    }

    fn all_names(&self) -> Result<&'static [&'static str], Failure> {
        match self.component {
            'M' | 'x' => Ok(&MONTHS),
            'F' => Ok(&DAYS),
            other => Err(error(
                "D3133",
                format!("the component {other:?} of a time has no names"),
            )),
        }
    }

    fn name(&self, value: i64, case: Case) -> Result<String, Failure> {
        let names = self.all_names()?;
        let name = usize::try_from(value - 1).ok().and_then(|place| names.get(place));
        let name = name.copied().unwrap_or_default();
        let name: String = name.chars().take(self.width_max.unwrap_or(usize::MAX)).collect();
        Ok(match case {
            Case::Upper => name.to_uppercase(),
            Case::Lower => name.to_lowercase(),
            Case::Title => name,
        })
    }

    fn zone(&self, minutes: i64) -> Result<String, Failure> {
        let (hours, left) = (minutes.div_euclid(60), minutes.rem_euclid(60));
        let offset = if minutes < 0 {
            minutes / 60 * 100 + minutes % 60
        } else {
            hours * 100 + left
        };
        if offset == 0 && self.zulu {
            return Ok("Z".to_owned());
        }
        let Some(picture) = &self.integer else {
            return Ok(String::new());
        };
        let digits = mandatory(picture).unwrap_or(0);
        let grouped = match &picture.form {
            Form::Decimal(decimal) => matches!(decimal.grouping, Grouping::Every(..)),
            _ => false,
        };
        let text = match digits {
            _ if grouped => picture.format(number::from_millis(offset))?,
            1 | 2 => {
                let hours = picture.format(number::from_millis(minutes / 60))?;
                let left = (minutes % 60).abs();
                if left == 0 {
                    hours
                } else {
                    format!("{hours}:{left:02}")
                }
            }
            3 | 4 => picture.format(number::from_millis(offset))?,
            _ => {
                return Err(error(
                    "D3134",
                    "the zone in a picture of a time has more than four digits",
                ));
            }
        };
        let plus = if offset >= 0 { "+" } else { "" };
        let gmt = if self.component == 'z' { "GMT" } else { "" };
        Ok(format!("{gmt}{plus}{text}"))
    }

    /// What a text says here that is no plain number.
    pub(super) fn value(&self, text: &str) -> Option<f64> {
        match self.component {
            'f' => number::parse(&format!("0.{}", text.get(..3).unwrap_or(text))).map(|part| part * 1000.0),
            'P' => Some(f64::from(u8::from(text.eq_ignore_ascii_case("pm")))),
            'Z' | 'z' => {
                let digits: String = text
                    .chars()
                    .filter(|letter| "+-0123456789".contains(*letter))
                    .collect();
                let hours_only = digits.len() <= 3;
                let zone = if hours_only { format!("{digits}00") } else { digits };
                Some(number::from_millis(zone_minutes(&zone)))
            }
            _ => {
                let cut = |name: &str| {
                    name.chars()
                        .take(self.width_max.unwrap_or(usize::MAX))
                        .collect::<String>()
                };
                let names = self.all_names().ok()?;
                let place = names.iter().position(|name| cut(name) == text)?;
                Some(number::from_count(place + 1))
            }
        }
    }
}

impl Part {
    /// A regular expression for what may stand here.
    pub(super) fn pattern(&self) -> Result<String, Failure> {
        let marker = match self {
            Self::Literal(text) => return Ok(regex::escape(text)),
            Self::Marker(marker) => marker,
        };
        Ok(
            match (
                marker.component,
                marker.integer.as_ref().map(|integer| &integer.form),
            ) {
                ('Z', _) => "[-+][0-9]+(?::[0-9]+)?".to_owned(),
                ('z', _) => "GMT[-+][0-9]+(?::[0-9]+)?".to_owned(),
                ('f', _) => "[0-9]+".to_owned(),
                (_, Some(Form::Decimal(_))) => {
                    let digits = marker
                        .exact
                        .map_or("+".to_owned(), |digits| format!("{{{digits}}}"));
                    let ordinal = marker.integer.as_ref().is_some_and(|integer| integer.ordinal);
                    format!("[0-9]{digits}{}", if ordinal { "(?:th|st|nd|rd)" } else { "" })
                }
                (_, Some(Form::Roman)) => "[mdclxvi]+".to_owned(),
                (_, Some(Form::Words)) => {
                    return Err(error("D3130", "numbers in words can be written here, not read"));
                }
                (_, Some(Form::Letters)) | ('P', None) => "[a-z]+".to_owned(),
                (_, None) => {
                    marker.all_names()?;
                    "[a-z]+".to_owned()
                }
            },
        )
    }
}
