//! Tables that fit into a terminal.
//!
//! Whoever prints a wide table as text breaks its lines, or puts its columns below each other; neither can be read. Here
//! every row is one line: cells that are too long are cut, then columns are left out of the middle, and what is left
//! out is said. The cells come from a cell, so they are only ever text, on one line.

use serde_json::{Map, Value};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The MIME type that a table comes as.
pub(crate) const RESOURCE: &str = "application/vnd.dataresource+json";
/// The most columns that are looked at; no terminal shows so many.
const COLUMNS: usize = 500;
/// The most rows that are shown, and how many of each end where there are more.
const ROWS: usize = 60;
const ENDS: usize = 5;
/// What a cell is cut to at first, and at last, before columns are left out.
const WIDEST: usize = 50;
const NARROWEST: usize = 16;
/// Digits behind the point.
const DECIMALS: usize = 6;
/// Between columns.
const GAP: usize = 2;

/// A table whose cells are texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Table {
    columns: Vec<Column>,
    /// How many of the columns, from the first, name the row.
    index: usize,
    rows: usize,
    /// How many rows and columns there are where this one is from.
    whole: (u64, u64),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Column {
    name: String,
    /// Whether it stands at the right, as numbers do.
    right: bool,
    cells: Vec<String>,
}

impl Column {
    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.width());
        cells.max().unwrap_or(0).max(self.name.width())
    }
}

impl Table {
    /// A table out of a tabular data resource; none, if it is none.
    pub(crate) fn of(resource: &Value) -> Option<Table> {
        let schema = resource.get("schema")?;
        let fields = schema.get("fields")?.as_array()?;
        let data = resource.get("data")?.as_array()?;
        let name = |field: &Value| field.get("name").map(plain).unwrap_or_default();
        let keys: Vec<String> = match schema.get("primaryKey") {
            Some(Value::Array(keys)) => keys.iter().map(plain).collect(),
            Some(key) => vec![plain(key)],
            None => Vec::new(),
        };
        let index = fields.iter().take_while(|field| keys.contains(&name(field))).count();
        // It is the beginning of a table, and says of how large a one.
        let told = |name: &str, here: usize| {
            let whole = resource.get("cellblock").and_then(|whole| whole.get(name)).and_then(Value::as_u64);
            whole.unwrap_or(0).max(here as u64)
        };
        let whole = (told("rows", data.len()), told("columns", fields.len() - index));
        let columns = fields.iter().take(COLUMNS).map(|field| {
            let kind = field.get("type").and_then(Value::as_str).unwrap_or_default();
            let key = name(field);
            let values: Vec<&Value> = data.iter().map(|row| cell(row, &key)).collect();
            let is_key = keys.contains(&key);
            // A pandas index without a name is called so in a resource.
            let shown = if is_key && (key == "index" || key.starts_with("level_")) { "" } else { &key };
            Column {
                name: one_line(shown),
                right: is_key && index == 1 || matches!(kind, "integer" | "number"),
                cells: if kind == "number" {
                    numbers(&values)
                } else {
                    values.into_iter().map(text).collect()
                },
            }
        });
        let columns: Vec<Column> = columns.collect();
        (!columns.is_empty()).then_some(Table { columns, index, rows: data.len(), whole })
    }

    /// The table in lines of at most `width` columns.
    pub(crate) fn lines(mut self, width: usize) -> Vec<String> {
        let missing_rows = self.cut_rows();
        for most in [WIDEST, 32, 24, NARROWEST] {
            if self.width() > width || most == WIDEST {
                self.narrow(most);
            }
        }
        let left_out = self.leave_out(width);
        let widths: Vec<usize> = self.columns.iter().map(Column::width).collect();
        let line = |cell: &dyn Fn(&Column) -> String| {
            let cells = self.columns.iter().zip(&widths).map(|(column, width)| {
                let text = cell(column);
                let blank = " ".repeat(width - text.width());
                if column.right { blank + &text } else { text + &blank }
            });
            let line = cells.collect::<Vec<_>>().join(&" ".repeat(GAP));
            line.trim_end().to_owned()
        };
        let mut lines = vec![line(&|column| column.name.clone())];
        lines.extend((0..self.rows).map(|row| line(&|column| column.cells[row].clone())));
        let (rows, columns) = self.whole;
        if missing_rows || !left_out.is_empty() {
            let mut told = format!("[{rows} rows x {columns} columns");
            if !left_out.is_empty() {
                told = format!("{told}; not shown: {}", left_out.join(", "));
            }
            lines.push(cut(&told, width.saturating_sub(1)) + "]");
        }
        lines
    }

    fn width(&self) -> usize {
        let columns: usize = self.columns.iter().map(|column| column.width() + GAP).sum();
        columns.saturating_sub(GAP)
    }

    /// Leaves the two ends of many rows, or the beginning of what is only the beginning; whether it did.
    fn cut_rows(&mut self) -> bool {
        let more = self.whole.0 > self.rows as u64;
        if !more && self.rows <= ROWS {
            return false;
        }
        let (first, last) = if more { (self.rows.min(2 * ENDS), 0) } else { (ENDS, ENDS) };
        for column in &mut self.columns {
            let end = column.cells.split_off(column.cells.len() - last);
            column.cells.truncate(first);
            column.cells.push("…".to_owned());
            column.cells.extend(end);
        }
        self.rows = first + 1 + last;
        true
    }

    fn narrow(&mut self, most: usize) {
        for column in &mut self.columns {
            // A number that is cut is another number.
            if !column.right {
                column.cells.iter_mut().for_each(|cell| *cell = cut(cell, most));
            }
            column.name = cut(&column.name, most);
        }
    }

    /// Leaves columns out of the middle until the rest fits, or at the end if there are more than are here; the names
    /// of those that it left out.
    fn leave_out(&mut self, width: usize) -> Vec<String> {
        let more = self.whole.1 > (self.columns.len() - self.index) as u64;
        if self.width() <= width && !more {
            return Vec::new();
        }
        let ellipsis =
            Column { name: "…".to_owned(), right: false, cells: vec!["…".to_owned(); self.rows] };
        let mut middle: Vec<Column> = self.columns.drain(self.index..).collect();
        let mut room = width.saturating_sub(self.columns.iter().map(|column| column.width() + GAP).sum());
        room = room.saturating_sub(1);
        let mut end = Vec::new();
        // Two from the front for each one from the back.
        for turn in 0.. {
            let back = turn % 3 == 2 && !more;
            let Some(next) = (if back { middle.last() } else { middle.first() }) else { break };
            let needed = next.width() + GAP;
            if needed > room {
                break;
            }
            room -= needed;
            if back {
                end.extend(middle.pop());
            } else {
                self.columns.push(middle.remove(0));
            }
        }
        self.columns.push(ellipsis);
        self.columns.extend(end.into_iter().rev());
        let names = middle.into_iter().map(|column| column.name);
        names.chain(more.then(|| "…".to_owned())).collect()
    }
}

fn cell<'a>(row: &'a Value, key: &str) -> &'a Value {
    row.as_object().and_then(|row: &Map<String, Value>| row.get(key)).unwrap_or(&Value::Null)
}

/// A name as a text, whatever it is.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "NaN".to_owned(),
        Value::Bool(value) => if *value { "True" } else { "False" }.to_owned(),
        Value::String(text) => one_line(instant(text)),
        value => one_line(&value.to_string()),
    }
}

/// A point in time without the parts that say nothing: `2024-01-31T00:00:00.000` is a date.
fn instant(text: &str) -> &str {
    let date =
        text.len() > 10 && text.is_ascii() && text.as_bytes()[4] == b'-' && text.as_bytes()[10] == b'T';
    if !date {
        return text;
    }
    let bare = text.strip_suffix('Z').unwrap_or(text).trim_end_matches(['0', ':', '.']);
    match bare.strip_suffix('T') {
        Some(day) => &text[..day.len().max(10)],
        None => text.strip_suffix(".000").unwrap_or(text),
    }
}

/// Numbers with as many digits behind the point as one of them needs.
fn numbers(values: &[&Value]) -> Vec<String> {
    let digits = |value: &Value| match value.as_f64() {
        Some(number) if is_plain(number) => {
            let text = format!("{number:.DECIMALS$}");
            let text = text.trim_end_matches('0');
            text.split_once('.').map_or(0, |(_, decimals)| decimals.len())
        }
        _ => 0,
    };
    let decimals = values.iter().map(|value| digits(value)).max().unwrap_or(0).max(1);
    let number = |value: &&Value| match value.as_f64() {
        Some(number) if is_plain(number) => format!("{number:.decimals$}"),
        Some(number) => format!("{number:.DECIMALS$e}"),
        None => text(value),
    };
    values.iter().map(number).collect()
}

/// Whether a number reads well without an exponent.
fn is_plain(number: f64) -> bool {
    number == 0.0 || (1e-5..1e15).contains(&number.abs())
}

/// A text without what would break its line or draw elsewhere.
fn one_line(text: &str) -> String {
    crate::printer::name(text)
}

/// A text of at most `most` columns; `…` says that it was longer.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.width() <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut width = 1;
    for c in text.chars() {
        width += c.width().unwrap_or(0);
        if width > most {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn resource(columns: usize, rows: usize) -> Value {
        let mut fields = vec![json!({ "name": "index", "type": "integer" })];
        fields.extend(
            (0..columns).map(|column| json!({ "name": format!("column_{column}"), "type": "number" })),
        );
        let row = |row: usize| {
            let mut cells = Map::new();
            cells.insert("index".into(), row.into());
            for column in 0..columns {
                #[expect(clippy::cast_precision_loss, reason = "they are small")]
                cells.insert(format!("column_{column}"), json!(row as f64 / 4.0 + column as f64));
            }
            Value::Object(cells)
        };
        let data: Vec<Value> = (0..rows).map(row).collect();
        json!({ "schema": { "fields": fields, "primaryKey": ["index"] }, "data": data })
    }

    #[test]
    fn a_small_table_is_shown_whole() {
        let value = json!({
            "schema": {
                "fields": [
                    { "name": "index", "type": "integer" },
                    { "name": "region", "type": "string" },
                    { "name": "share", "type": "number" },
                    { "name": "day", "type": "datetime" },
                ],
                "primaryKey": ["index"],
            },
            "data": [
                { "index": 0, "region": "北区", "share": 0.1, "day": "2024-01-31T00:00:00.000" },
                { "index": 10, "region": "East\n\u{1b}[2J", "share": 12.25, "day": "2024-01-31T10:30:00.000" },
                { "index": 11, "region": null, "share": null, "day": null },
            ],
        });
        let lines = Table::of(&value).unwrap().lines(80);
        assert_eq!(
            lines,
            [
                "    region              share  day",
                " 0  北区                 0.10  2024-01-31",
                "10  East\\u{a}\\u{1b}[2J  12.25  2024-01-31T10:30:00",
                "11  NaN                   NaN  NaN",
            ]
        );
    }

    #[test]
    fn columns_are_left_out_of_the_middle() {
        let lines = Table::of(&resource(20, 3)).unwrap().lines(60);
        assert_eq!(
            lines,
            [
                "   column_0  column_1  column_2  column_3  …  column_19",
                "0      0.00      1.00      2.00      3.00  …      19.00",
                "1      0.25      1.25      2.25      3.25  …      19.25",
                "2      0.50      1.50      2.50      3.50  …      19.50",
                "[3 rows x 20 columns; not shown: column_4, column_5, colum…]",
            ]
        );
    }

    #[test]
    fn of_many_rows_the_ends_are_shown() {
        let lines = Table::of(&resource(1, 100)).unwrap().lines(80);
        assert_eq!(lines.len(), 13);
        assert_eq!((lines[6].as_str(), lines[12].as_str()), (" …         …", "[100 rows x 1 columns]"));
        // Of the beginning of a table, the beginning.
        let mut value = resource(3, 20);
        value["cellblock"] = json!({ "rows": 5000, "columns": 60, "shown": 20 });
        let lines = Table::of(&value).unwrap().lines(80);
        assert_eq!(lines.len(), 13);
        assert_eq!(lines[0], "   column_0  column_1  column_2  …");
        assert_eq!(lines[10], "9      2.25      3.25      4.25  …");
        assert_eq!(
            lines[11..],
            ["…         …         …         …  …", "[5000 rows x 60 columns; not shown: …]"]
        );
    }

    #[test]
    fn numbers_read_well() {
        let shown = |values: Value| numbers(&values.as_array().unwrap().iter().collect::<Vec<_>>());
        assert_eq!(shown(json!([1.0, 2.0])), ["1.0", "2.0"]);
        assert_eq!(shown(json!([0.1 + 0.2, 1.5])), ["0.3", "1.5"]);
        assert_eq!(shown(json!([1.0 / 3.0, null, 2e20])), ["0.333333", "NaN", "2.000000e20"]);
    }

    #[test]
    fn what_is_no_table_is_none() {
        for value in [
            json!(null),
            json!({}),
            json!({ "schema": { "fields": 3 }, "data": [] }),
            json!({ "schema": { "fields": [] }, "data": [] }),
        ] {
            assert_eq!(Table::of(&value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(columns in 1usize..30, rows in 0usize..80, width in 20usize..120) {
            for line in Table::of(&resource(columns, rows)).unwrap().lines(width) {
                prop_assert!(line.width() <= width, "{line}");
            }
        }
    }
}
