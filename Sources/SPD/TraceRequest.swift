internal import FoundationEssentials

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// How `spdc` asks a model file, run as a program, for its graph.
///
/// The request comes in the environment and the answer goes to a file named there, never to standard output, which
/// belongs to the model file. Each `Model` that the program creates answers once, on a line of its own.
public struct TraceRequest: Codable, Sendable {
  public static let variable = "SPDC_TRACE"

  public var answerPath: String
  public var size: Size2D?
  public var batch: Int
  public var classes: Int?

  public init(answerPath: String, size: Size2D?, batch: Int, classes: Int?) {
    self.answerPath = answerPath
    self.size = size
    self.batch = batch
    self.classes = classes
  }

  /// For one model: a graph or the reason why there is none.
  public struct Answer: Codable, Sendable {
    public var name: String
    public var classNames: [String]?
    public var graph: Graph?
    public var error: TraceError?
  }

  static func answer(for model: Model) {
    guard let text = getenv(variable).map({ String(cString: $0) }) else { return }
    var answer = Answer(name: model.name, classNames: model.classNames)
    guard let request = try? JSONDecoder().decode(TraceRequest.self, from: Data(text.utf8)) else { return }
    do {
      answer.graph = try model.graph(size: request.size, batch: request.batch, classes: request.classes)
    } catch {
      answer.error = error
    }
    guard let line = try? JSONEncoder().encode(answer) else { return }
    let file = fopen(request.answerPath, "a")
    let written = file.map { file in line.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) } } ?? 0
    guard let file, written == line.count, fputs("\n", file) >= 0, fclose(file) == 0 else {
      perror(request.answerPath)
      exit(74)
    }
  }
}
