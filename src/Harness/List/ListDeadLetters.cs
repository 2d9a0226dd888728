using System.CommandLine;
using Sagas.Harness.CommandLine;
namespace Sagas.Harness.List;
internal static class ListDeadLetters { public static Command Create(Terminal terminal) => new SagasCommand("listdeadletters", "x"); }
