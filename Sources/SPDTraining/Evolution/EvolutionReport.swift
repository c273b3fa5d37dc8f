import SPDDetection
import SPDReport

/// The results of an evolution as a page and as a hyperparameter file.
struct EvolutionReport {
  var generations: [Generation]
  /// Number of generations when the evolution is complete.
  var total: Int

  /// The best hyperparameters as YOLOv5's YAML with a comment on their origin; nil if no training succeeded.
  func bestHyperparameters(_ base: TrainingConfiguration) -> String? {
    guard let best = generations.best else { return nil }
    let metrics = DetectionTask.metrics.filter(\.isValidation).compactMap { metric in
      best.values[metric.name].map { "\(metric.name) \(AxisScale.short($0))" }
    }
    return """
      # Best of \(generations.count) generations: generation \(best.number).
      # \(oneLine(base.model)) on \(oneLine(base.data)), \(base.epochs) epochs, batch \(base.batch), seed \(base.seed)
      # \(metrics.joined(separator: ", "))

      """ + best.hyperparameters.yaml
  }

  var html: String {
    var page = Page(title: "Evolution of hyperparameters")
    let best = generations.best
    var facts = [(name: "generations", value: "\(generations.count) of \(total)")]
    if let best {
      facts.append(("best", "generation \(best.number)"))
      facts += DetectionTask.metrics.filter { $0.isValidation && $0.unit == .fraction }.compactMap { metric in
        best.values[metric.name].map { (metric.title, metric.valueText($0)) }
      }
    }
    page.facts(facts)
    page.heading("Fitness by generation")
    page.markup(curve.html)
    page.heading("Fitness by hyperparameter")
    page.paragraph(
      "Each point is a generation; the best one has another colour. Values that never changed are left out.")
    let changed = changed
    page.markup("<div class=\"charts\">\(changed.map { scatter($0).html }.joined(separator: "\n"))</div>")
    page.heading("Generations")
    page.table(
      header: ["generation", "fitness"] + changed.map(\.key) + ["time", "outcome"],
      rows: generations.ranked.map { generation in
        [String(generation.number), generation.fitness.map { AxisScale.short($0) } ?? ""]
          + changed.map { AxisScale.short(generation.hyperparameters[keyPath: $0.path!]) }
          + [TrainingProgress.duration(generation.seconds), generation.outcome]
      }, marked: best == nil ? [] : [0])
    return page.html
  }

  /// The hyperparameters that differ between generations.
  private var changed: [HyperparameterField] {
    HyperparameterEvolution.searched.filter { field in
      Set(generations.map { $0.hyperparameters[keyPath: field.path!] }).count > 1
    }
  }

  private var curve: LineChart {
    let points = generations.compactMap { generation in generation.fitness.map { (Double(generation.number), $0) } }
    var highest = -Double.infinity
    let bests = points.map { point in
      highest = max(highest, point.1)
      return (point.0, highest)
    }
    return LineChart(
      title: "", xLabel: "generation", yLabel: "fitness",
      series: [
        LineChart.Series(name: "best so far", points: bests),
        LineChart.Series(name: "generation", points: points, isConnected: false),
      ], width: 820)
  }

  private func scatter(_ field: HyperparameterField) -> LineChart {
    let best = generations.best?.number
    func points(_ isBest: Bool) -> [(x: Double, y: Double)] {
      generations.compactMap { generation in
        guard let fitness = generation.fitness, (generation.number == best) == isBest else { return nil }
        return (generation.hyperparameters[keyPath: field.path!], fitness)
      }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
    }
    return LineChart(
      title: field.key,
      series: [
        LineChart.Series(name: "generation", points: points(false), isConnected: false),
        LineChart.Series(name: "best", points: points(true), isConnected: false),
      ], width: 300, height: 200)
  }
}

/// A text without line ends, for a comment.
private func oneLine(_ text: String) -> String { text.map { $0.isNewline ? " " : String($0) }.joined() }
