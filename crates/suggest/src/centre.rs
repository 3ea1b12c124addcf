//! The middle of what an account is asked.
//!
//! Questions of one trade lie close together: those of a bank all mean something near money. Seen from their middle they
//! lie apart, and what tells them from each other counts.

use crate::table::{self, DIMENSIONS, Point, Sum};

/// The sum of the points of all questions. Whole numbers, so that it does not matter in which order they came.
#[derive(Debug)]
pub(crate) struct Centre {
    sum: [i64; DIMENSIONS],
    points: i64,
}

impl Default for Centre {
    fn default() -> Self {
        Self { sum: [0; DIMENSIONS], points: 0 }
    }
}

impl Centre {
    pub(crate) fn add(&mut self, point: &Point) {
        self.change(point, 1);
    }

    /// Takes back what was added.
    pub(crate) fn remove(&mut self, point: &Point) {
        self.change(point, -1);
    }

    fn change(&mut self, point: &Point, by: i64) {
        if is_nowhere(point) {
            return;
        }
        self.points += by;
        for (sum, step) in self.sum.iter_mut().zip(point) {
            *sum += by * i64::from(*step);
        }
    }

    /// The direction, of length one, in which a point lies from here; zero for what lies nowhere, or here.
    #[expect(clippy::cast_precision_loss, reason = "a direction needs no more than f32 has")]
    pub(crate) fn direction(&self, point: &Point) -> Sum {
        if is_nowhere(point) {
            return [0.0; DIMENSIONS];
        }
        let away: Sum =
            std::array::from_fn(|at| (i64::from(point[at]) * self.points.max(1) - self.sum[at]) as f32);
        let length = table::length(&away);
        if length == 0.0 { away } else { away.map(|x| x / length) }
    }
}

/// No word of such a text is in the table.
fn is_nowhere(point: &Point) -> bool {
    point.iter().all(|step| *step == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(first: i8, second: i8) -> Point {
        let mut point = [0; DIMENSIONS];
        (point[0], point[1]) = (first, second);
        point
    }

    fn centre(points: &[Point]) -> Centre {
        let mut centre = Centre::default();
        points.iter().for_each(|point| centre.add(point));
        centre
    }

    fn cosine(centre: &Centre, a: &Point, b: &Point) -> f32 {
        table::dot(&centre.direction(a), &centre.direction(b))
    }

    #[test]
    fn what_lies_close_together_lies_apart_when_seen_from_the_middle() {
        let (a, b) = (point(126, 10), point(126, -10));
        assert!(table::cosine(&a, &b) > 0.95);
        assert!(cosine(&centre(&[a, b]), &a, &b) < -0.99);
    }

    #[test]
    fn what_was_taken_back_and_the_order_do_not_matter() {
        let points = [point(1, 2), point(90, 3), point(-7, 50)];
        let mut there_and_back = centre(&[points[2], point(5, 5), points[0], point(0, 0), points[1]]);
        there_and_back.remove(&point(0, 0));
        there_and_back.remove(&point(5, 5));
        assert_eq!(there_and_back.direction(&point(3, 4)), centre(&points).direction(&point(3, 4)));
    }

    #[test]
    fn an_unknown_text_and_the_middle_itself_lie_in_no_direction() {
        let centre = centre(&[point(10, 10)]);
        for nowhere in [point(0, 0), point(10, 10)] {
            assert_eq!(centre.direction(&nowhere), [0.0; DIMENSIONS]);
        }
    }
}
