import Foundation
import SPD

/// The texture behind the objects of a scene: waves of colour and blurred noise.
struct Background {
  typealias Colour = ObjectScene.Colour

  /// A wave of colour across the image.
  struct Wave {
    /// Radians per pixel, along x and y.
    let alongX, alongY: Double
    let phase: Double
    let amplitude: Colour
  }

  let colour: Colour
  private let waves: [Wave]
  /// Distances in pixels of the lattices of noise, coarse and fine.
  private let distances: [Double]
  private let strength: Double
  private let seed: UInt64

  init(isDark: Bool, using random: inout SplitMix64) {
    colour = ObjectScene.randomColour(&random) * 0.45 + (isDark ? 0.05 : 0.5)
    waves = (0..<2 + random.below(2)).map { _ in
      let direction = random.uniform(0, 2 * .pi)
      let frequency = 2 * .pi / random.uniform(20, 200)
      return Wave(
        alongX: frequency * cos(direction), alongY: frequency * sin(direction), phase: random.uniform(0, 2 * .pi),
        amplitude: (ObjectScene.randomColour(&random) - 0.5) * 0.14)
    }
    distances = [random.uniform(16, 48), random.uniform(3, 8)]
    strength = random.uniform(0.04, 0.12)
    seed = random.next()
  }

  /// Rows of colours.
  func pixels(side: Int) -> [Colour] {
    var canvas = [Colour](repeating: colour, count: side * side)
    for wave in waves {
      for y in 0..<side {
        for x in 0..<side {
          canvas[y * side + x] += wave.amplitude * sin(wave.alongX * Double(x) + wave.alongY * Double(y) + wave.phase)
        }
      }
    }
    for (octave, distance) in distances.enumerated() { addNoise(to: &canvas, side, distance, UInt64(octave)) }
    return canvas
  }

  /// Adds random values at the points of a lattice, interpolated bilinearly between them.
  private func addNoise(to canvas: inout [Colour], _ side: Int, _ distance: Double, _ octave: UInt64) {
    let columns = Int(Double(side) / distance) + 2
    var random = SplitMix64(seed: seed &+ octave)
    let lattice = (0..<columns * columns).map { _ in random.uniform(-strength, strength) }
    for y in 0..<side {
      let row = Double(y) / distance
      let (top, down) = (Int(row), row - row.rounded(.down))
      for x in 0..<side {
        let column = Double(x) / distance
        let (left, right) = (Int(column), column - column.rounded(.down))
        let at = top * columns + left
        let above = lattice[at] + (lattice[at + 1] - lattice[at]) * right
        let below = lattice[at + columns] + (lattice[at + columns + 1] - lattice[at + columns]) * right
        canvas[y * side + x] += above + (below - above) * down
      }
    }
  }
}
