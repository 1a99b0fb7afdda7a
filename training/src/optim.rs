//! AdamW over our own tensors, its schedule, and clipping by the global norm.
//! The optimizer sees the parameters it is given and nothing else: what is frozen is not in its list.

use tch::Tensor;

use crate::error::Result;
use crate::shim;

/// A trained tensor and how it is trained.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in checkpoints.
    pub name: String,
    /// The tensor; requires a gradient.
    pub tensor: Tensor,
    /// Its learning rate as a multiple of the schedule's.
    pub lr_scale: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    first: Tensor,
    second: Tensor,
}

impl Parameter {
    /// Takes up a tensor: it requires a gradient from now on, and its moments are zero.
    #[must_use]
    pub fn new(name: String, tensor: &Tensor, lr_scale: f64, weight_decay: f64) -> Self {
        let (first, second) = (tensor.zeros_like(), tensor.zeros_like());
        let tensor = tensor.set_requires_grad(true);
        Self { name, tensor, lr_scale, weight_decay, first, second }
    }
}

/// Warm-up from zero, then half a cosine down to a tenth (paper: alpha_f = 0.1).
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// Highest learning rate.
    pub lr: f64,
    /// Steps of linear warm-up.
    pub warmup: u64,
    /// Steps in all.
    pub steps: u64,
}

impl Schedule {
    /// Learning rate of `step`, counted from 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
    pub fn at(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.lr * step as f64 / self.warmup as f64;
        }
        let rest = self.steps.saturating_sub(self.warmup).max(1) as f64;
        let done = (step - self.warmup) as f64 / rest;
        self.lr * (0.1 + 0.45 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos()))
    }
}

/// AdamW with β = (0.9, 0.95) and gradients clipped to norm 1.
#[derive(Debug)]
pub struct Optimizer {
    /// What is trained, in the order of checkpoints.
    pub parameters: Vec<Parameter>,
    schedule: Schedule,
    steps_done: u64,
}

/// What one step saw.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Learning rate used.
    pub lr: f64,
    /// Norm of all gradients before clipping.
    pub gradient_norm: f64,
}

const CLIP: f64 = 1.0;

impl Optimizer {
    /// An optimizer at its first step.
    #[must_use]
    pub fn new(parameters: Vec<Parameter>, schedule: Schedule) -> Self {
        Self { parameters, schedule, steps_done: 0 }
    }

    /// Backward from `loss`, then one step. Nothing is changed when a gradient is not finite: the caller
    /// sees it in the norm.
    ///
    /// # Errors
    /// When libtorch or the shim refuses.
    pub fn step(&mut self, loss: &Tensor) -> Result<Step> {
        let inputs: Vec<&Tensor> = self.parameters.iter().map(|p| &p.tensor).collect();
        let gradients: Vec<Tensor> = Tensor::f_run_backward(&[loss], &inputs, false, false)?
            .into_iter()
            .map(|gradient| gradient.contiguous())
            .collect();
        let gradient_norm = shim::square_sum(&gradients)?.sqrt();
        let lr = self.schedule.at(self.steps_done + 1);
        if !gradient_norm.is_finite() {
            return Ok(Step { lr, gradient_norm });
        }
        self.steps_done += 1;
        for (parameter, gradient) in self.parameters.iter_mut().zip(&gradients) {
            let settings = shim::AdamW {
                lr: lr * parameter.lr_scale,
                beta1: 0.9,
                beta2: 0.95,
                eps: 1e-8,
                weight_decay: parameter.weight_decay,
                scale: if gradient_norm > CLIP { CLIP / gradient_norm } else { 1.0 },
                step: i64::try_from(self.steps_done).unwrap_or(i64::MAX),
            };
            let Parameter { tensor, first, second, .. } = parameter;
            shim::adamw(tensor, gradient, first, second, &settings)?;
        }
        Ok(Step { lr, gradient_norm })
    }

    /// Steps done so far.
    #[must_use]
    pub fn steps_done(&self) -> u64 {
        self.steps_done
    }

    /// Every tensor that a checkpoint must hold: parameters and both moments.
    #[must_use]
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let each = self.parameters.iter().flat_map(|p| {
            [
                (p.name.clone(), p.tensor.detach()),
                (format!("{}#first", p.name), p.first.shallow_clone()),
                (format!("{}#second", p.name), p.second.shallow_clone()),
            ]
        });
        each.collect()
    }

    /// Puts back what [`Optimizer::state`] gave; `get` is asked for each tensor by name and shape.
    ///
    /// # Errors
    /// The first error of `get`.
    pub fn restore<E>(
        &mut self,
        steps_done: u64,
        mut get: impl FnMut(&str, &[i64]) -> Result<Tensor, E>,
    ) -> Result<(), E> {
        for (name, mut tensor) in self.state() {
            let saved = get(&name, &tensor.size())?;
            tch::no_grad(|| tensor.copy_(&saved));
        }
        self.steps_done = steps_done;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    #[test]
    fn the_schedule_rises_then_falls_to_a_tenth() {
        let schedule = Schedule { lr: 2.0, warmup: 4, steps: 104 };
        assert!((schedule.at(1) - 0.5).abs() < 1e-12);
        assert!((schedule.at(4) - 2.0).abs() < 1e-12);
        assert!((schedule.at(54) - 1.1).abs() < 1e-12);
        assert!((schedule.at(104) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn a_step_is_adamw_as_published() {
        let start = Tensor::from_slice(&[1.0_f64, -2.0]);
        let parameter = Parameter::new("w".into(), &start, 1.0, 0.1);
        let mut optimizer = Optimizer::new(vec![parameter], Schedule { lr: 0.01, warmup: 1, steps: 1000 });
        let (mut w, mut m, mut v) = ([1.0_f64, -2.0], [0.0_f64; 2], [0.0_f64; 2]);
        let pull = Tensor::from_slice(&[0.3_f64, -0.4]);
        for step in 1..=3_i32 {
            let loss = (&optimizer.parameters[0].tensor * &pull).sum(Kind::Double);
            let lr = optimizer.step(&loss).unwrap().lr;
            for (i, g) in [0.3, -0.4].into_iter().enumerate() {
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.95 * v[i] + 0.05 * g * g;
                let (mean, square) = (m[i] / (1.0 - 0.9_f64.powi(step)), v[i] / (1.0 - 0.95_f64.powi(step)));
                w[i] = w[i] * (1.0 - lr * 0.1) - lr * mean / (square.sqrt() + 1e-8);
            }
        }
        let got = &optimizer.parameters[0].tensor;
        for (i, want) in w.into_iter().enumerate() {
            assert!((got.double_value(&[i64::try_from(i).unwrap()]) - want).abs() < 1e-12);
        }
    }

    #[test]
    fn gradients_are_clipped_to_norm_one_and_nan_changes_nothing() {
        let parameter = Parameter::new("w".into(), &Tensor::zeros([2], (Kind::Double, Device::Cpu)), 1.0, 0.0);
        let mut optimizer = Optimizer::new(vec![parameter], Schedule { lr: 0.1, warmup: 1, steps: 10 });
        let loss = (&optimizer.parameters[0].tensor * f64::NAN).sum(Kind::Double);
        assert!(optimizer.step(&loss).unwrap().gradient_norm.is_nan());
        assert_eq!(optimizer.steps_done(), 0);
        let loss = (&optimizer.parameters[0].tensor * Tensor::from_slice(&[30.0, 40.0])).sum(Kind::Double);
        assert!((optimizer.step(&loss).unwrap().gradient_norm - 50.0).abs() < 1e-9);
        let first = &optimizer.state()[1].1;
        assert!((first.double_value(&[0]) - 0.06).abs() < 1e-12);
    }
}
