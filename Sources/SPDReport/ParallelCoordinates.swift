/// A parallel coordinates plot of trials, with an axis per setting and a last one for the result, which colours the lines.
public struct ParallelCoordinates: Sendable {
  public enum Value: Sendable, Equatable {
    case number(Double)
    case word(String)
  }

  public struct Axis: Sendable {
    public enum Kind: Sendable, Equatable {
      case linear, logarithmic
      /// Categories from bottom to top.
      case words([String])
    }

    public var name: String
    public var kind: Kind

    public init(name: String, kind: Kind) {
      self.name = name
      self.kind = kind
    }
  }

  public struct Line: Sendable {
    /// A value per axis; nil if missing, such as the result of a failed trial.
    public var values: [Value?]
    /// The tooltip.
    public var label: String

    public init(values: [Value?], label: String) {
      self.values = values
      self.label = label
    }
  }

  public var title: String
  /// Two or more axes. Values on the last one determine the colours; the largest is the best.
  public var axes: [Axis]
  public var lines: [Line]
  public var width: Double
  public var height: Double

  public init(title: String, axes: [Axis], lines: [Line], width: Double = 900, height: Double = 380) {
    precondition(axes.count >= 2, "a setting and a result")
    self.title = title
    self.axes = axes
    self.lines = lines
    self.width = width
    self.height = height
  }

  /// The chart as an SVG file.
  public var svg: String { drawing.document }
  /// The chart as an SVG element for a page with `chartStyleSheet`.
  public var html: String { drawing.inline(label: title) }

  private var drawing: SVG {
    var svg = SVG(width: width, height: height)
    let (top, bottom) = (72.0, height - 28)
    let left = 64.0
    let gap = (width - left - 72) / Double(max(1, axes.count - 1))
    let scales = axes.indices.map(scale)
    svg.text(title, at: (20, 22), class: "title")

    func place(_ axis: Int, _ value: Value?) -> (Double, Double)? {
      guard let value, let up = scales[axis].position(value) else { return nil }
      return (left + Double(axis) * gap, bottom - up * (bottom - top))
    }
    // Draw the best lines last, above all others, and those without a result first.
    let results = lines.map { line in line.values.last.flatMap { $0 }.flatMap { scales.last!.position($0) } }
    let order = lines.indices.sorted { (results[$0] ?? -1, $1) < (results[$1] ?? -1, $0) }
    for index in order {
      var data = ""
      var previous: (Double, Double)?
      for (axis, value) in lines[index].values.enumerated() {
        guard let point = place(axis, value) else {
          previous = nil
          continue
        }
        if let previous {
          let bend = gap * 0.4
          data += "C\(c(previous.0 + bend)) \(c(previous.1)) \(c(point.0 - bend)) \(c(point.1)) "
        } else {
          data += "M"
        }
        data += "\(c(point.0)) \(c(point.1)) "
        previous = point
      }
      let kind = results[index] == nil ? "trial missing" : index == order.last ? "trial winner" : "trial"
      svg.path(
        String(data.dropLast()), class: kind, stroke: results[index].map(ChartStyle.gradient), title: lines[index].label
      )
    }
    for (index, axis) in axes.enumerated() {
      let x = left + Double(index) * gap
      svg.line((x, top), (x, bottom), class: "axis")
      svg.text(
        ChartStyle.fitting(axis.name, width: gap - 8), at: (x, top - 16), class: "value", anchor: .middle)
      for (up, label) in scales[index].ticks {
        let y = bottom - up * (bottom - top)
        svg.line((x - 4, y), (x, y), class: "axis")
        svg.text(ChartStyle.fitting(label, width: gap - 14), at: (x - 7, y + 4), class: "halo", anchor: .end)
      }
    }
    return svg
  }

  private struct Scale {
    let position: (Value) -> Double?
    let ticks: [(position: Double, label: String)]
  }

  private func scale(_ axis: Int) -> Scale {
    let values = lines.compactMap { axis < $0.values.count ? $0.values[axis] : nil }
    guard case .words(let words) = axes[axis].kind else {
      let numbers = values.compactMap { if case .number(let number) = $0 { number } else { nil } }
      let isLogarithmic = axes[axis].kind == .logarithmic
      // Round ends of a logarithmic axis could leave most of it empty.
      let scale = AxisScale(covering: numbers, isLogarithmic: isLogarithmic, isTight: isLogarithmic)
      return Scale(
        position: { if case .number(let number) = $0 { scale.position(number) } else { nil } },
        ticks: scale.ticks.compactMap { tick in scale.position(tick).map { ($0, scale.label(tick)) } })
    }
    // Leave space at the ends of the axis.
    func position(_ word: String) -> Double? {
      words.firstIndex(of: word).map { (Double($0) + 0.5) / Double(words.count) }
    }
    return Scale(
      position: { if case .word(let word) = $0 { position(word) } else { nil } },
      ticks: words.compactMap { word in position(word).map { ($0, word) } })
  }
}

/// Formats a coordinate of a path.
private func c(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
