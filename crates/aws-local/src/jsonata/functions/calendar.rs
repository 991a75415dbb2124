//! Days, weeks and hours of a time.

/// The names of days from Monday on, and of months.
pub(super) const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAY_MILLIS: i64 = 86_400_000;

/// A time in a zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    year: i64,
    month: i64,
    day: i64,
    /// Days since 1970, and milliseconds of the day.
    days: i64,
    millis: i64,
    pub(super) offset_minutes: i64,
}

/// Days from 1970-01-01 to that day; months and days run over into the next.
pub(super) fn days_before(year: i64, month: i64, day: i64) -> Option<i64> {
    if year.abs() > 300_000 || !(1..=12).contains(&month) || day.abs() > 100_000 {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let since_march = (153 * month + 2) / 5 + day - 1;
    Some(year * 365 + leaps + since_march - 719_468)
}

/// Year, month and day of that day since 1970.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + later, month, day)
}

/// The minutes of `+0530`; what is no offset is none.
pub(super) fn zone_minutes(zone: &str) -> i64 {
    let (sign, digits) = match zone.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, zone.strip_prefix('+').unwrap_or(zone)),
    };
    let digits: String = digits.chars().take_while(char::is_ascii_digit).take(4).collect();
    let offset: i64 = digits.parse().unwrap_or_default();
    sign * (offset / 100 * 60 + offset % 100)
}

/// 1 for Monday.
fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// The Monday of the first week: the one with the first Thursday.
fn first_week(year: i64, month: i64) -> i64 {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let first = days_before(year, month, 1).unwrap_or_default();
    match weekday(first) {
        late @ 5.. => first + 8 - late,
        early => first - (early - 1),
    }
}

impl Moment {
    pub(super) fn of(millis: i64, offset_minutes: i64) -> Self {
        let days = millis.div_euclid(DAY_MILLIS);
        let (year, month, day) = date_of(days);
        Self {
            year,
            month,
            day,
            days,
            millis: millis.rem_euclid(DAY_MILLIS),
            offset_minutes,
        }
    }

    pub(super) fn is_afternoon(&self) -> bool {
        self.millis >= DAY_MILLIS / 2
    }

    /// The week since the first of a year or month, among those of the one before and after.
    fn week(&self, first: i64, next: i64, before: i64) -> i64 {
        if self.days >= next {
            1
        } else if self.days < first {
            (self.days - before) / 7 + 1
        } else {
            (self.days - first) / 7 + 1
        }
    }

    /// The number of a component of a picture; `None` for what is no number.
    pub(super) fn component(&self, letter: char) -> Option<i64> {
        let hour = self.millis / 3_600_000;
        let (year, month) = (self.year, self.month);
        Some(match letter {
            'D' => self.day,
            'd' => self.days - days_before(year, 1, 1)? + 1,
            'F' => weekday(self.days),
            'W' => self.week(
                first_week(year, 1),
                first_week(year + 1, 1),
                first_week(year - 1, 1),
            ),
            'w' => self.week(
                first_week(year, month),
                first_week(year, month + 1),
                first_week(year, month - 1),
            ),
            'X' if self.days < first_week(year, 1) => year - 1,
            'X' if self.days >= first_week(year + 1, 1) => year + 1,
            'x' if self.days < first_week(year, month) => (month + 10) % 12 + 1,
            'x' if self.days >= first_week(year, month + 1) => month % 12 + 1,
            'Y' | 'X' => year,
            'M' | 'x' => month,
            'H' => hour,
            'h' => (hour + 11) % 12 + 1,
            'P' => i64::from(self.is_afternoon()),
            'm' => self.millis / 60_000 % 60,
            's' => self.millis / 1000 % 60,
            'f' => self.millis % 1000,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_both_ways() {
        for (date, days) in [
            ((1970, 1, 1), 0),
            ((2000, 2, 29), 11_016),
            ((2026, 11, 30), 20_787),
            ((1969, 12, 31), -1),
            ((-1, 3, 1), -719_834),
        ] {
            assert_eq!(days_before(date.0, date.1, date.2), Some(days), "{date:?}");
            assert_eq!(date_of(days), date);
        }
        assert_eq!(zone_minutes("-0530"), -330);
    }
}
