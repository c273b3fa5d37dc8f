/// The functions of a module: for each template and values that kernels ask for, one, in the order of the first request.
///
/// What differs in shapes and addresses alone asks for the same values, and so shares a function.
final class Instances {
  private struct Request: Hashable {
    var template: String
    var holes: [String: String]
  }

  private var names: [Request: String] = [:]
  private var taken: Set<String> = []
  private var order: [Request] = []
  /// What is computed by functions that few steps share, for the comment above them.
  private var users: [Request: [String]] = [:]

  /// Asks for a text without a name of its own.
  func require(_ template: String, _ holes: [String: String] = [:]) {
    let request = Request(template: template, holes: holes)
    guard names.updateValue("", forKey: request) == nil else { return }
    order.append(request)
  }

  /// Asks for a function; its name is `name`, with a number where another has it already.
  ///
  /// - Parameter user: what it is asked for, if that shall stand above it.
  func function(_ template: String, _ holes: [String: String], named name: String, for user: String? = nil) -> String {
    let request = Request(template: template, holes: holes)
    if let user { users[request, default: []].append(user) }
    if let known = names[request] { return known }
    let unique = taken.contains(name) ? (2...).lazy.map { "\(name)_\($0)" }.first { !self.taken.contains($0) }! : name
    taken.insert(unique)
    names[request] = unique
    order.append(request)
    return unique
  }

  /// All texts, each template's preamble before its first.
  func text(_ templates: Templates) throws -> String {
    var introduced: Set<String> = []
    return try order.map { request in
      let (template, name) = (request.template, names[request]!)
      var text = introduced.insert(template).inserted ? templates.preamble(template) : ""
      if !text.isEmpty { text += "\n" }
      if let users = users[request] {
        let lines = users + ["    templates/kernels/\(template).c"]
        text += "/* " + lines.map(CText.comment).joined(separator: "\n * ") + " */\n"
      }
      return text + (try templates.fill(template, name.isEmpty ? request.holes : request.holes + ["NAME": name])) + "\n"
    }.joined()
  }
}
