using System.Collections.Concurrent;
using MassTransit;

namespace Sagas.UnitTests.Payments.StateMachine;

/// <summary>Records what is published, and when and with what outcome each message is consumed.</summary>
internal sealed class Recorder : IConsumeObserver, IPublishObserver
{
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<Exception?>> _messages = [];
    private readonly ConcurrentQueue<object> _published = [];

    public Task<Exception?> ExpectMessage(Guid messageId) =>
        _messages
            .GetOrAdd(messageId, _ => new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously))
            .Task;

    public IReadOnlyList<T> Published<T>() => [.. _published.OfType<T>()];

    public Task PreConsume<T>(ConsumeContext<T> context)
        where T : class => Task.CompletedTask;

    public Task PostConsume<T>(ConsumeContext<T> context)
        where T : class => Consumed(context, null);

    public Task ConsumeFault<T>(ConsumeContext<T> context, Exception exception)
        where T : class => Consumed(context, exception);

    public Task PrePublish<T>(PublishContext<T> context)
        where T : class => Task.CompletedTask;

    public Task PostPublish<T>(PublishContext<T> context)
        where T : class
    {
        _published.Enqueue(context.Message);
        return Task.CompletedTask;
    }

    public Task PublishFault<T>(PublishContext<T> context, Exception exception)
        where T : class => Task.CompletedTask;

    private Task Consumed<T>(ConsumeContext<T> context, Exception? exception)
        where T : class
    {
        if (context.MessageId is { } messageId && _messages.TryGetValue(messageId, out var message))
            message.TrySetResult(exception);
        return Task.CompletedTask;
    }
}
