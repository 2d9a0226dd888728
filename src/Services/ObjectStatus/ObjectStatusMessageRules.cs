using Sagas.Contracts;
using Sagas.Services.Messages;

namespace Sagas.Services.ObjectStatus;

/// <summary>The rules for messages about objects.</summary>
internal static class ObjectStatusMessageRules
{
    public static IReadOnlyList<MessageRule> All { get; } =
    [
        MessageRule.For<ObjectStatusRequested>((message, check) => check.Identifier(message, message.ObjectId)),
        MessageRule.For<ObjectStatusesRequested>(
            (message, check) => check.IdentifierList(message, message.ObjectIds, ObjectStatusesRequested.MaxObjects, "objects")
        ),
    ];
}
