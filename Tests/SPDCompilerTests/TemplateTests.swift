import Testing

@testable import SPDCompiler

struct TemplateTests {
  private let templates = Templates([
    "loop": "for (i = 0; i < @N@; i++) @BODY@; /* @N@ */\n", "plain": "x\n", "odd": "@A",
    "lines": "@A@\na;\n    @A@\n    b;  @A@\n    @A@@B@\n  c;\n",
  ])

  @Test func holesAreFilledWhereverTheyStand() throws {
    #expect(try templates.fill("loop", ["N": "3", "BODY": "f(i)"]) == "for (i = 0; i < 3; i++) f(i); /* 3 */\n")
    #expect(try templates.fill("plain", [:]) == "x\n")
    #expect(try templates.fill("loop", ["N": "", "BODY": "a\nb"]) == "for (i = 0; i < ; i++) a\nb; /*  */\n")
  }

  @Test func aLineOfWhichNothingIsLeftGoesAway() throws {
    #expect(try templates.fill("lines", ["A": "x;", "B": ""]) == "x;\na;\n    x;\n    b;  x;\n    x;\n  c;\n")
    // The first line has no line in front of it.
    #expect(try templates.fill("lines", ["A": "", "B": ""]) == "\na;\n    b;  \n  c;\n")
    #expect(try templates.fill("lines", ["A": "", "B": "y;"]) == "\na;\n    b;  \n    y;\n  c;\n")
  }

  @Test(arguments: [
    ("loop", ["N": "3"], "template loop has the hole @BODY@, which nothing fills"),
    ("loop", ["N": "3", "BODY": "", "M": ""], "template loop has no hole @M@"),
    ("loop", ["N": "3", "BODY": "", "n": "", "M": ""], "template loop has no hole @M@"),
    ("loop", ["N": "@", "BODY": ""], "the value of @N@ contains an @"),
    ("loop", ["N": "@N@", "BODY": ""], "the value of @N@ contains an @"),
    ("plain", ["N": "3"], "template plain has no hole @N@"),
    ("odd", ["A": "3"], "template odd has an odd number of @"),
    ("none", [:], "there is no template none"),
  ])
  func whatDoesNotFit(name: String, holes: [String: String], message: String) {
    let error = #expect(throws: TemplateError.self) { try templates.fill(name, holes) }
    #expect(error?.description == message)
  }
}
