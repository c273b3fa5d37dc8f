import ArgumentParser
import SPDDriver

struct Explain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what each pass did and why, and the cost of each layer.")

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print everything as JSON.") var json = false
  @Flag(help: "Print the graph before the first pass and after each pass that changed it.") var graphs = false

  func run() async throws {
    try await reporting {
      let weighted = try await options.load(required: false)
      let builder = try Builder(target: options.target)
      let pipeline = try await options.compile.tuned(weighted.graph, builder, threads: try threads.threads)
      let compiled = try builder.compile(weighted.graph, options: pipeline)
      let explanation = Explanation(compiled, target: builder.target)
      if json { return try Console.print(json: explanation) }
      options.dump(compiled)
      Console.print(explanation.text(graphs: graphs))
    }
  }
}
